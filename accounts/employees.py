"""Finding employees by what they are called, and where they read e-mail."""

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


def address_of(user: User) -> str:
    """Where an employee reads e-mail: at work, else at the address that the account has proven; empty without any."""
    at_work = getattr(user, "employee", None)
    return (at_work.email if at_work else "") or user.email or ""
