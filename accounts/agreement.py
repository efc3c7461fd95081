"""What a session knows of an agreement to the data policy that is still to be given."""

from typing import Final

from django.conf import settings
from django.http import HttpRequest

# Set at the sign-in, so that the press of a button in the minute of an opening costs no statement more.
_DUE: Final = "policy_due"
_READS_ON: Final = "policy_read_on"


def note_due(request: HttpRequest, *, due: bool) -> None:
    """Remember at the sign-in whether the person must agree to the version in force; nothing is written if not."""
    if due:
        request.session[_DUE] = settings.DATA_POLICY_VERSION


def is_due(request: HttpRequest) -> bool:
    """Whether the person who has signed in has still to agree, as far as this session knows."""
    return request.session.get(_DUE) == settings.DATA_POLICY_VERSION


def read_on(request: HttpRequest) -> None:
    """Ask no more in this session about the version in force: the person reads on without agreeing."""
    request.session[_READS_ON] = settings.DATA_POLICY_VERSION
    note_due(request, due=True)


def reads_on(request: HttpRequest) -> bool:
    """Whether the person chose to read on without agreeing to the version in force."""
    return request.session.get(_READS_ON) == settings.DATA_POLICY_VERSION


def forget(request: HttpRequest) -> None:
    """The person has agreed."""
    for name in (_DUE, _READS_ON):
        request.session.pop(name, None)
