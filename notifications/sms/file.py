"""SMS as lines of a file (`SMS_FILE`): what the demo desk and the browser tests read."""

import fcntl
import json
from itertools import islice
from pathlib import Path
from typing import Any

from django.conf import settings

from notifications.clock import counted_clock, machine_clock
from notifications.private_files import open_privately
from notifications.sms.base import DAY_MINUTES, Outcome, SendResult

_TAIL_BYTES = 256 * 1024


class FileBackend:
    """Appends one JSON object per SMS: {"phone", "text", "sent_at"}; several processes may write at once."""

    def send(
        self,
        phone: str,
        text: str,
        *,
        idempotency_key: str,
        is_repeat: bool = False,
        minutes: int = DAY_MINUTES,
    ) -> SendResult:
        # Several threads send, and none of them asks the database.
        sent_at = counted_clock() or machine_clock()
        line = json.dumps({"phone": phone, "text": text, "sent_at": sent_at.isoformat()}, ensure_ascii=False)
        path = Path(settings.SMS_FILE)
        try:
            with open_privately(path, "ab") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                file.write(_end_of_half_line(path) + line.encode() + b"\n")
        except OSError as error:
            return SendResult(Outcome.UNAVAILABLE, error=f"file: {type(error).__name__}")
        return SendResult(Outcome.ACCEPTED, provider_id=f"file:{idempotency_key}")


def _end_of_half_line(path: Path) -> bytes:
    """What ends the line that a writer left when it was killed, or the disk was full; nothing where all are whole."""
    with path.open("rb") as file:
        if not file.seek(0, 2):
            return b""
        file.seek(-1, 2)
        return b"" if file.read() == b"\n" else b"\n"


def read_newest(limit: int) -> list[dict[str, Any]]:
    """At most `limit` of the SMS in the file, newest first; none if there is no file yet.

    Reads only the end of the file, so that the page stays fast however long the demo runs. A line that is no SMS, such
    as the half that a killed writer left, is passed over.
    """
    try:
        with Path(settings.SMS_FILE).open("rb") as file:
            size = file.seek(0, 2)
            start = max(0, size - _TAIL_BYTES)
            file.seek(start)
            lines = file.read().decode("utf-8", errors="replace").split("\n")
    except FileNotFoundError:
        return []
    # What follows the last line end is nothing, or a line that is still being written.
    complete = lines[1:-1] if start else lines[:-1]
    found = (sms for line in reversed(complete) if (sms := _sms_in(line)))
    return list(islice(found, max(0, limit)))


def _sms_in(line: str) -> dict[str, Any] | None:
    try:
        sms = json.loads(line)
    except ValueError:
        return None
    return sms if isinstance(sms, dict) and {"phone", "text", "sent_at"} <= sms.keys() else None
