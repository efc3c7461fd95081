"""What is said of an application of the former queue, as a handful of plain values: by a file, and by the portal.

By them two files are compared, and by them a change is made and taken back.
"""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any, Final

from applications.models import Application
from applications.waiting.bringing_in import OldRow

# The values by their names; instants in ISO 8601, a locality and a benefit by their keys.
Said = dict[str, Any]

# What changes with another value: a benefit has an end of its own, and a new phone has not been invited.
_ALONG: Final = {
    "filed_at": ("filed_text",),
    "phone": ("invited_at",),
    "benefit": ("benefit_until",),
    "benefit_until": ("benefit",),
}
# These make no difference by themselves.
_SILENT: Final = ("filed_text", "invited_at")


def said_by(row: OldRow) -> Said:
    """What a row of a file says."""
    return {
        "locality": row.locality.pk,
        "filed_at": _text(row.filed_at),
        "filed_text": row.filed_text,
        "old_number": row.old_number,
        "languages": list(row.languages),
        "guardian_iin": row.guardian_iin,
        "phone": row.phone,
        "invited_at": None,
        "benefit": row.benefit.pk if row.benefit else None,
        "benefit_until": _text(row.benefit_until),
        "stopped_until": _text(row.stopped_until),
        "interest_confirmed_at": _text(row.interest_confirmed_at),
    }


def said_of(application: Application, *, now: datetime) -> Said:
    """What the portal has of it at `now`, in the words of a file. Prefetch `former`, `benefits` and `stops`."""
    row = application.former
    benefit = next((one for one in application.benefits.all() if one.counts(now=now)), None)
    running = (one for one in application.stops.all() if one.lifted_at is None and now < one.until)
    stop = next(running, None)
    return {
        "locality": application.locality_id,
        "filed_at": _text(application.filed_at),
        "filed_text": row.filed_text,
        "old_number": row.old_number,
        "languages": list(application.languages),
        "guardian_iin": row.guardian_iin,
        "phone": row.phone,
        "invited_at": _text(row.invited_at),
        "benefit": benefit.category_id if benefit else None,
        "benefit_until": _text(benefit.valid_until) if benefit else None,
        "stopped_until": _text(stop.until) if stop else None,
        "interest_confirmed_at": _text(application.interest_confirmed_at),
    }


def difference(old: Said, new: Said, *, names: Collection[str]) -> tuple[Said, Said]:
    """The values of `names` that differ, with those that change along: as they are, and as they would be. Pure.

    How a date was written is no difference by itself, nor is the order of languages. That a file does not say when
    interest was confirmed leaves what an earlier one said.
    """
    differing = set(differing_names({name: old[name] for name in names}, new))
    if new["interest_confirmed_at"] is None:
        differing.discard("interest_confirmed_at")
    differing |= {other for name in differing for other in _ALONG.get(name, ())}
    return {name: old[name] for name in sorted(differing)}, {name: new[name] for name in sorted(differing)}


def differing_names(said: Said, other: Said) -> list[str]:
    """The values of `said` that `other` has otherwise, by name, but for those that make no difference. Pure."""
    return [
        name
        for name in sorted(said)
        if name not in _SILENT and _comparable(name, said[name]) != _comparable(name, other.get(name))
    ]


def left_of(said: Said, *, now: datetime) -> Said:
    """What is left of it at `now`: a stop and a benefit end by themselves. Pure."""
    left = dict(said)
    if _is_over(said.get("stopped_until"), now):
        left["stopped_until"] = None
    if _is_over(said.get("benefit_until"), now):
        left |= {"benefit": None, "benefit_until": None}
    return left


def instant(text: str | None) -> datetime | None:
    """The instant that a value holds."""
    return None if text is None else datetime.fromisoformat(text)


def _is_over(until: str | None, now: datetime) -> bool:
    end = instant(until)
    return end is not None and end <= now


def _comparable(name: str, value: Any) -> Any:
    return sorted(value) if name == "languages" and value else value


def _text(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat()
