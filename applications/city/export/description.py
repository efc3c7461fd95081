"""What every file and column of an export means, in words: `docs/export.md`, and a file of each export.

Names, types and values come from the models; `MEANINGS` says what a name can't.
"""

from typing import Any, Final

from django.contrib.postgres.fields import ArrayField
from django.db.models import (
    BooleanField,
    DateField,
    DateTimeField,
    Field,
    FileField,
    ForeignKey,
    IntegerField,
    JSONField,
    UUIDField,
)
from django.utils.translation import override

from applications.city.export.packing import VERSION
from applications.city.export.tables import LEFT_OUT, TABLES, Column, Table

# A list that is longer says nothing to a reader: those are words of the portal's own registers.
_MOST_VALUES: Final = 30

MEANINGS: Final = {
    "accounts_auditentry.about": "what it is about: a model and its key",
    "accounts_auditentry.address": "network address of who did it; empty where it was the portal or is forgotten",
    "accounts_auditentry.changes": "what a form changed: for each field its old and its new value",
    "accounts_auditentry.child": "key of the child it is about",
    "accounts_auditentry.target": "what it is about, in words without identifiers",
    "accounts_objection.child": "key of the child it is about",
    "accounts_profile.is_typed": "whether the name was typed from a document",
    "accounts_profile.phone_tie": "what the state base of mobile citizens says of phone and IIN",
    "accounts_profile.registry_asked_at": "when the registry was last asked about the person",
    "accounts_user.forgotten_at": "since when nothing in it tells whose it was",
    "accounts_user.is_active": "whether they may sign in",
    "accounts_user.kept_iin": "IIN of an employee; a parent's stands in `accounts_profile`",
    "accounts_user.leaving_since": "when its owner asked to close it; within 30 days they may come back",
    "accounts_user.phone_proven_at": "when a code to the phone was last entered",
    "applications_application.filed_at": "the instant that decides the order within a tier",
    "applications_application.number": "the number that the family knows",
    "applications_application.runs_out_at": "not before this instant does anything of it end by itself",
    "applications_application.sequence": "orders applications that were filed at the same instant",
    "applications_application.tier": "1 extraordinary, 2 priority, 3 general",
    "applications_bid.answer_due": "the first instant at which the kindergarten's answer is late",
    "applications_bid.holds_seat": "whether it counts among `seats_taken` of its vacancy",
    "applications_bid.stand_in": "why an official decided in the kindergarten's place",
    "applications_cityexport.keys": "public keys of `age`, one a line",
    "applications_event.data": "what else belongs to the move, by name: keys of bids, referrals, decisions",
    "applications_event.filed_at": "with locality, birth year and tier: where the application stood after the move",
    "applications_formerchange.after": "what it said then: a JSON object; empty where it was taken out of the queue",
    "applications_formerchange.before": "what was there: a JSON object, as columns of the file",
    "applications_formerchange.is_dropped": "whether it was taken out of the queue",
    "applications_formerrow.number_key": "the same without case, spaces and signs, for whoever looks for it",
    "applications_referral.valid_until": "the first instant at which it no longer holds",
    "applications_rules.early_from": "of rules of an emergency: since when they hold for what is newly promised",
    "applications_stoplistentry.until": "the first instant after the stop",
    "bulletin_vacancy.awarded_at": "when places were given by queue number",
    "bulletin_vacancy.priority_until": "until then only the head of the queue may apply",
    "bulletin_vacancy.seats_taken": "how many of its seats bids and offers hold",
    "children_child.paper_number": "number of the birth certificate, of a child that came without an IIN",
}

_INTRODUCTION: Final = f"""\
Format {VERSION}. A compressed tar, encrypted with [age](https://age-encryption.org): `age -d -i KEY FILE | tar xz`.
`manifest.json` stands first. It names every other file with its rows, bytes, columns and SHA-256, and the instant at
which all of them were true.

Each file is one table as JSON Lines: UTF-8, one object a line, in the order of the keys. Instants have their zone, days
are written `2026-09-01`. A column that ends in `_id` holds the key of a row in the file of that table; keys are
those of the portal and stay the same in every export. Texts that are not filled in are empty, everything else that is
not known is `null`. IINs and document numbers are in clear. Files that families sent (certificates, photos) are not in
it: a column of type "path" names one under `MEDIA_ROOT`.
"""


def describe() -> str:
    """Every file and column, and what is left out with the reason, as Markdown."""
    with override("en"):
        parts = [_INTRODUCTION, "## Files\n", *(_describe(table) for table in TABLES), "## Left out\n"]
        parts.append(_rows("Table", "Why", [(f"`{name}`", why) for name, why in LEFT_OUT.items()]))
    return "\n".join(parts)


def _describe(table: Table) -> str:
    heading = f"### `{table.name}`\n\n{_capital(str(table.model._meta.verbose_name_plural))}.\n"
    columns = [(f"`{column.name}`", type_of(column), meaning_of(table, column)) for column in table.columns]
    text = f"{heading}\n{_rows('Column', 'Type', 'Meaning', columns)}"
    if table.left_out:
        left_out = [f"`{name}` ({why})" for name, why in table.left_out.items()]
        text += f"\nLeft out: {', '.join(left_out)}.\n"
    return text


def type_of(column: Column) -> str:
    """What JSON holds there, and whether it may be `null`."""
    if column.is_role:
        return "name of a role"
    or_null = " or null" if column.field.null else ""
    return f"{_type(column.field)}{or_null}"


def _type(field: "Field[Any, Any]") -> str:
    if isinstance(field, ForeignKey):
        target = field.related_model
        return f"key of `{target._meta.db_table}`"
    if isinstance(field, ArrayField):
        return f"list of {_type(field.base_field)}"
    names = {
        BooleanField: "true or false",
        IntegerField: "number",
        DateTimeField: "instant",
        DateField: "day",
        UUIDField: "key",
        FileField: "path",
        JSONField: "object",
    }
    return next((name for kind, name in names.items() if isinstance(field, kind)), "text")


def meaning_of(table: Table, column: Column) -> str:
    """What a column means, with its values where they are few."""
    key = f"{table.model._meta.db_table}.{column.name}"
    if column.field.primary_key:
        return "its key"
    said = MEANINGS.get(key, str(column.field.verbose_name).replace("|", "/"))
    values = [value for value, _label in column.field.flatchoices]
    if not values or key in MEANINGS:
        return said
    if len(values) > _MOST_VALUES:
        return f"{said}: a word of the portal's register"
    return f"{said}: {', '.join(f'`{value}`' for value in values if value != '')}"


def _rows(*headings_and_rows: Any) -> str:
    *headings, rows = headings_and_rows
    lines = [headings, ["---"] * len(headings), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
