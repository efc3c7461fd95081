"""What others would try as a parent's password: the children's names and birth dates."""

from collections.abc import Iterator

from accounts.models import User
from accounts.passwords import date_words
from children.models import Child


def of_children(user: User) -> Iterator[str]:
    """Names, birth dates and IINs of the children whose guardian `user` is. One query."""
    for child in Child.objects.filter(guardianships__user=user, guardianships__ended_at=None):
        yield from (child.last_name, child.first_name, child.iin)
        yield from date_words(child.birth_date)
