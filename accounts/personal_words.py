"""What others would try as somebody's password: of a parent, what the person registry says."""

from collections.abc import Iterator

from accounts.models import Profile, User
from accounts.passwords import date_words


def of_profile(user: User) -> Iterator[str]:
    """Names, birth date, IIN and document of a parent; nothing for an employee. One query at most."""
    own = Profile.objects.filter(user=user).first()
    if own is None:
        return
    yield from (own.last_name, own.first_name, own.middle_name, own.iin, own.document_number)
    yield from date_words(own.birth_date)
