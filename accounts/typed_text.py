"""What people type, as the portal reads it, whichever form it is sent by. Pure."""

from typing import Final

from django.http import QueryDict

# Marks that turn the direction of what follows: an IIN or an address would be read backwards.
_DIRECTION: Final = dict.fromkeys(
    map(ord, "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"), None
)


def as_read(text: str) -> str:
    """The text with line breaks that count once, as its browser counts them, and without marks of direction."""
    return text.replace("\r\n", "\n").translate(_DIRECTION)


def all_as_read(post: QueryDict) -> QueryDict:
    """The same for each value of a form; the form itself where nothing changes."""
    if all(as_read(value) == value for _name, values in post.lists() for value in values):
        return post
    read = QueryDict(mutable=True, encoding=post.encoding)
    for name, values in post.lists():
        read.setlist(name, [as_read(value) for value in values])
    read._mutable = False
    return read
