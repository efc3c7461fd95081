"""Files that a family sent, shown back to who sent them."""

from collections.abc import Iterable

from django.contrib import messages
from django.http import HttpRequest

from accounts.uploads import Upload


def warn_of_losses(request: HttpRequest, uploads: Iterable[Upload]) -> None:
    """Tell the sender what was in the files and is not kept."""
    for upload in uploads:
        if upload.loss:
            messages.warning(request, upload.loss)
