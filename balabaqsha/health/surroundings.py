"""What the machine of the asking process knows: its disks, the portal's certificate, the last backup.

Each is asked by a probe, since a disk or a peer may hang. `judge` turns what they found into words without asking.
"""

import json
import shutil
import ssl
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from django.conf import settings

# With less no database goes on for long, whatever writes beside it.
SPARE_BYTES: Final = 1024**3
# Two weeks are enough to renew a certificate by hand; what renews by itself does so a month before.
CERTIFICATE_LASTS: Final = timedelta(days=14)
# One a day, and two hours for one that takes longer than the day before.
BACKUP_AGE: Final = timedelta(hours=26)
CONNECT_SECONDS: Final = 1.0
_LARGEST_FILE: Final = 1024 * 1024


class Unknown(OSError):
    """It is there and can't be read."""


@dataclass(frozen=True)
class Backup:
    """When the last backup was begun, and when it was found whole, as `deploy/backup` writes it down."""

    made_at: datetime
    verified_at: datetime


def free_bytes() -> dict[str, int]:
    """How much is free where files are kept, by the name of the place. May hang as long as a disk does."""
    places = {
        "media": Path(settings.MEDIA_ROOT),
        "var": Path(settings.VAR_DIR),
        "temporary": Path(tempfile.gettempdir()),
    }
    if settings.DATABASE_FOLDER:
        places["database"] = Path(settings.DATABASE_FOLDER)
    return {name: shutil.disk_usage(_existing(place)).free for name, place in places.items()}


def certificate_ends() -> datetime | None:
    """When the certificate named by `CERTIFICATE` ends; None where none is named. Raises `OSError`."""
    named = settings.CERTIFICATE
    if not named:
        return None
    try:
        if "/" in named:
            found = x509.load_pem_x509_certificate(_read(Path(named)))
        else:
            found = x509.load_der_x509_certificate(_shown_by(named))
    except ValueError as error:
        raise Unknown(str(error)) from None
    return found.not_valid_after_utc


def last_backup() -> Backup | None:
    """The last one that came to its end; None before the first. Raises `OSError` where its file can't be read."""
    try:
        told = json.loads(_read(Path(settings.BACKUP_STATE)))
        return Backup(_instant(told["made"]), _instant(told["verified"]))
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise Unknown(str(error)) from None


def judge_disks(free: Mapping[str, int] | None) -> dict[str, Any]:
    """`None` stands for a disk that did not answer."""
    if free is None:
        return {"disks": "failing"}
    low = {name: left // 2**20 for name, left in free.items() if left < SPARE_BYTES}
    return {"disks": "low" if low else "ok", "disks_low": low}


def judge_certificate(ends: datetime | None, *, now: datetime) -> dict[str, Any]:
    """`None` stands for one that can't be read."""
    if ends is None:
        return {"certificate": "failing"}
    left = ends - now
    word = "ended" if left <= timedelta(0) else "ending" if left < CERTIFICATE_LASTS else "ok"
    return {"certificate": word, "certificate_days": left.days}


def judge_backup(backup: Backup | None, *, now: datetime) -> dict[str, Any]:
    """`None` stands for no backup, or none that can be read about."""
    if backup is None:
        return {"backup": "missing"}
    age = now - min(backup.made_at, backup.verified_at)
    return {"backup": "late" if age > BACKUP_AGE else "ok", "backup_seconds": int(age.total_seconds())}


def _existing(place: Path) -> Path:
    return next(path for path in (place, *place.absolute().parents) if path.exists())


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_LARGEST_FILE)


def _shown_by(address: str) -> bytes:
    """The certificate that a server shows, good or not: it is only dated here, and nothing is told to it."""
    host, _, port = address.rpartition(":")
    pem = ssl.get_server_certificate((host.strip("[]"), int(port)), timeout=CONNECT_SECONDS)
    return ssl.PEM_cert_to_DER_cert(pem)


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)
