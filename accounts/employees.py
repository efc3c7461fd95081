"""Finding employees by what they are called."""

from django.db.models import Q, QuerySet

from accounts.models import User


def named(words: str) -> QuerySet[User]:
    """The employees in whose name or login each of `words` stands; none for no words."""
    asked = words.replace("\0", " ").split()
    if not asked:
        return User.objects.none()
    found = User.objects.filter(is_staff=True)
    for word in asked:
        found = found.filter(
            Q(username__icontains=word)
            | Q(employee__last_name__icontains=word)
            | Q(employee__first_name__icontains=word)
            | Q(employee__middle_name__icontains=word)
        )
    return found
