"""The process in which strangers' files are decoded: python -m accounts.safe_copy KIND MOST_PIXELS

Reads a file from its input and writes to its output one line of JSON, then the copy. It knows no secret, since it is
started without an environment; before it reads anything it gives up most of what a process may have.
"""

import json
import resource
import sys
from collections.abc import Sequence
from typing import Final

from accounts.safe_copy import BEGINNINGS, MARGIN, MOST_KEPT, Cause, Copy, FileType, Kind, Refused

MEMORY: Final = 1024 * 1024 * 1024  # bytes; a picture in WebP of 40 million pixels takes 0.87 of it
CPU_SECONDS: Final = 3  # a PNG of 40 million pixels takes 2.1
LIMITS: Final = {
    resource.RLIMIT_AS: MEMORY,
    resource.RLIMIT_CPU: CPU_SECONDS,
    resource.RLIMIT_FSIZE: MOST_KEPT + 4096,
    resource.RLIMIT_CORE: 0,
}


def main(arguments: Sequence[str]) -> None:
    kind, most_pixels = Kind(arguments[0]), int(arguments[1])
    for limit, most in LIMITS.items():
        resource.setrlimit(limit, (most, most))
    copy: Copy | None = None
    answer: dict[str, object] = {}
    try:
        copy = make_copy(sys.stdin.buffer.read(), kind=kind, most_pixels=most_pixels)
        answer = {"copy": copy.file_type, "left_out": sorted(copy.left_out), "size": copy.size}
    except Refused as refused:
        answer = {"refused": refused.cause, "because": type(refused.__cause__).__name__}
    except MemoryError:
        answer = {"refused": Cause.TOO_COMPLEX}
    except Exception as error:  # noqa: BLE001
        # Any error in a decoder is the fault of the file, not of the portal.
        answer = {"refused": Cause.DAMAGED, "because": type(error).__name__}
    sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n")
    if copy is not None:
        sys.stdout.buffer.write(copy.content)


def make_copy(content: bytes, *, kind: Kind, most_pixels: int) -> Copy:
    """A copy of a picture or, for a document, of a PDF. Raises `Refused`."""
    # Load only what is needed: for a small picture, most of the time goes into loading decoders.
    if kind is Kind.DOCUMENT and looks_like_pdf(content):
        from accounts.safe_copy.pdf import copy_pdf

        return copy_pdf(content)
    from accounts.safe_copy.pictures import copy_picture

    return copy_picture(content, kind=kind, most_pixels=most_pixels)


def looks_like_pdf(content: bytes) -> bool:
    """Whether readers take it for a PDF, which may have something before it, and nothing takes it for another type."""
    is_picture = content.startswith((BEGINNINGS[FileType.JPEG], BEGINNINGS[FileType.PNG]))
    return not is_picture and BEGINNINGS[FileType.PDF] in content[:MARGIN]


if __name__ == "__main__":
    main(sys.argv[1:])
