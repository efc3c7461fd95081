"""What an export of the city holds: one file for each table, and why anything is not in it.

The columns are those of the model; only what differs is named here. Every model of the portal stands in `TABLES` or
in `LEFT_OUT`: a test names one that stands in neither.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import Any, Final

from cryptography.fernet import InvalidToken
from django.contrib.auth.models import Group as Role
from django.core.exceptions import ValidationError
from django.db.models import Field, Model, QuerySet

from accounts.models import (
    AuditEntry,
    Employee,
    EmployeeVersion,
    Objection,
    PolicyConsent,
    Profile,
    User,
)
from applications.models import (
    Alert,
    Application,
    Benefit,
    BenefitCategory,
    Bid,
    CityExport,
    Complaint,
    Contract,
    Correction,
    Event,
    Extension,
    ExtensionDocument,
    FormerChange,
    FormerDecision,
    FormerLine,
    FormerProtocol,
    FormerRow,
    GroupProposal,
    Headcount,
    Offer,
    PriorityCutoff,
    ProfileProposal,
    Referral,
    Rules,
    RulesProposal,
    StopListEntry,
    ToldOfClosing,
    ToldPlace,
    Transfer,
    UndoRequest,
    Wave,
)
from bulletin.fields import SearchTextField, SortKeyField
from bulletin.models import (
    Closing,
    Employment,
    Group,
    Holiday,
    ImportBatch,
    ImportedRow,
    IncidentNote,
    Kindergarten,
    KindergartenProfile,
    Locality,
    MovedOpening,
    Pause,
    Photo,
    ReportedIncident,
    Review,
    Vacancy,
)
from children.models import Child, ClaimPaper, Dispute, GuardianClaim, Guardianship, OverruledDecision
from notifications.fields import EncryptedTextField
from notifications.models import Notice

# Rows read at a time, from a cursor of the server.
_PORTION: Final = 2000
_JSON: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
# What JSON holds by itself.
_AS_IT_IS: Final = (str, int, float, list, dict)


class Unreadable(Exception):
    """A table has an encrypted value that no present key reads."""


@dataclass(frozen=True)
class Column:
    """A column of a table, and how a value of it is written. Keys of other rows stay as they are."""

    field: "Field[Any, Any]"

    @property
    def name(self) -> str:
        return "role" if self.is_role else self.field.attname

    @property
    def is_role(self) -> bool:
        """Whether it is a key to a role, which every portal makes for itself: it is told by the role's name."""
        return self.field.related_model is Role

    @property
    def path(self) -> str:
        return f"{self.field.name}__name" if self.is_role else self.field.attname

    @property
    def is_encrypted(self) -> bool:
        return isinstance(self.field, EncryptedTextField)

    def written(self, value: Any) -> Any:
        """`value` as JSON can hold it. Raises `InvalidToken` for one that no key reads."""
        if isinstance(value, _AS_IT_IS):
            return value
        if value is None:
            if not self.field.null:
                raise InvalidToken
            return None
        return value.isoformat() if isinstance(value, date) else str(value)

    def read(self, value: Any) -> Any:
        """The other way round. Raises `ValidationError` for what can't be a value of the column."""
        if value is None:
            return None
        found = self.field.to_python(value)
        if isinstance(found, datetime) and found.tzinfo is None:
            raise ValidationError("no time zone")
        if isinstance(found, str) and "\0" in found:
            raise ValidationError("a sign that no text may have")
        return found


@dataclass(frozen=True)
class Table:
    """A table of which every row is exported. `without` names the columns that are not, each with the reason."""

    model: type[Model]
    without: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.model._meta.db_table}.jsonl"

    @cached_property
    def left_out(self) -> dict[str, str]:
        """Every column that is not exported, with the reason."""
        reasons = dict(self.without)
        for encrypted, hashes in getattr(self.model, "HASHED", {}).items():
            for hashed, _make in hashes:
                reasons.setdefault(hashed, f"made of `{encrypted}` with the portal's own key")
        for one in self.model._meta.concrete_fields:
            if isinstance(one, SortKeyField | SearchTextField):
                reasons[one.attname] = "made of the names"
        return reasons

    @cached_property
    def columns(self) -> list[Column]:
        return [Column(one) for one in self.model._meta.concrete_fields if one.attname not in self.left_out]

    @property
    def column_names(self) -> list[str]:
        return [column.name for column in self.columns]

    def rows(self) -> "QuerySet[Any, Any]":
        return self.model._base_manager.order_by("pk")

    def lines(self) -> Iterator[bytes]:
        """Every row as a line of JSON, in the order of the keys; the same lines in the same snapshot.

        Raises `Unreadable`.
        """
        # Raised anew, so that nothing holds the cursor when the transaction ends.
        with suppress(InvalidToken):
            yield from self._told()
            return
        raise Unreadable(self.name)

    def _told(self) -> Iterator[bytes]:
        names, written = self.column_names, [column.written for column in self.columns]
        values = self.rows().values_list(*(column.path for column in self.columns))
        for row in values.iterator(chunk_size=_PORTION):
            told = {name: write(value) for name, write, value in zip(names, written, row, strict=True)}
            yield _JSON.encode(told).encode() + b"\n"


_ONE_USE: Final = "a code or link that lets somebody in: made anew by the next portal"
_DAY: Final = "a file that is deleted within a day"
_OWN: Final = "about this portal's own processes"
_EVERY: Final = "every portal makes it for itself (`set_up`)"

# In the order in which a reader understands them; a file may name keys of a later one.
TABLES: Final = [
    Table(Locality),
    Table(Holiday),
    Table(Kindergarten),
    Table(KindergartenProfile),
    Table(Group),
    Table(User, {"password": "accounts go without passwords: their owners choose new ones"}),
    Table(User.groups.through),
    Table(Profile),
    Table(PolicyConsent),
    Table(Employee),
    Table(EmployeeVersion),
    Table(Employment),
    Table(Child),
    Table(Guardianship),
    Table(Dispute),
    Table(OverruledDecision),
    Table(GuardianClaim),
    Table(ClaimPaper),
    Table(Objection),
    Table(Closing),
    Table(Vacancy),
    Table(Pause),
    Table(MovedOpening),
    Table(ReportedIncident),
    Table(IncidentNote),
    Table(Review),
    Table(Photo),
    Table(Rules),
    Table(RulesProposal),
    Table(BenefitCategory),
    Table(ImportBatch),
    Table(ImportedRow),
    Table(Application),
    Table(FormerRow),
    Table(FormerLine),
    Table(FormerDecision),
    Table(FormerProtocol),
    Table(FormerChange),
    Table(Alert),
    Table(Alert.kindergartens.through),
    Table(Wave),
    Table(ToldPlace),
    Table(Event),
    Table(Benefit),
    Table(Correction),
    Table(PriorityCutoff),
    Table(Bid),
    Table(Offer),
    Table(Referral),
    Table(Extension),
    Table(ExtensionDocument),
    Table(StopListEntry),
    Table(Contract),
    Table(Transfer),
    Table(UndoRequest),
    Table(ToldOfClosing),
    Table(GroupProposal),
    Table(ProfileProposal),
    Table(Headcount),
    Table(Notice),
    Table(AuditEntry),
    Table(Complaint),
    Table(CityExport),
]

# By their names, since some belong to apps above this one.
LEFT_OUT: Final = {
    "accounts.AssistedMove": "belongs to a move of a number",
    "accounts.ContactCode": _ONE_USE,
    "accounts.DataExport": _DAY,
    "accounts.FirstSignIn": _ONE_USE,
    "accounts.NumberMove": "under way between two sign-ins, and holds passwords; that a number moved is in the audit",
    "accounts.RecoveryCode": "a second factor",
    "accounts.Session": "who is signed in",
    "accounts.SmsCode": _ONE_USE,
    "accounts.StaffLink": _ONE_USE,
    "accounts.User_user_permissions": "nobody has rights but by a role",
    "admin.LogEntry": "the audit tells it",
    "applications.BroughtFile": _DAY,
    "applications.CalendarAddress": "a secret of one person for this portal: made anew with one button",
    "applications.CheckCode": "leads to this portal's own page: the next one gives its papers codes of their own",
    "applications.MadeFile": _DAY,
    "applications.QueueCount": "counted from the applications",
    "auth.Group": _EVERY,
    "auth.Group_permissions": _EVERY,
    "auth.Permission": _EVERY,
    "balabaqsha.Heartbeat": _OWN,
    "balabaqsha.Incident": _OWN,
    "balabaqsha.Sweep": _OWN,
    "contenttypes.ContentType": _EVERY,
    "notifications.Gateway": "how the SMS gateways of this portal do",
    "notifications.GatewayMinute": "how the SMS gateways of this portal did",
    "notifications.Mail": "the outbox: what waits in it would be sent twice",
    "notifications.PushMessage": "the outbox: what waits in it would be sent twice",
    "notifications.PushSubscription": "a browser shows only what this portal's key has signed",
    "notifications.TelegramMessage": "the outbox: what waits in it would be sent twice",
    "notifications.Message": "the outbox: what waits in it would be sent twice; what was told stands in the notices",
    "otp_static.StaticDevice": "a second factor",
    "otp_static.StaticToken": "a second factor",
    "otp_totp.TOTPDevice": "a second factor",
}
