"""The reports: what each counts, in two sentences, its columns, and by what it can be cut."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.db.models import TextChoices
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from applications.reports import counts
from applications.reports.asked import Asked, Slice
from applications.reports.counts import Counts
from applications.states import BenefitState, CorrectionState, ReferralState

Text = str | Promise

_EVERYWHERE: Final = (Slice.LOCALITY, Slice.YEAR, Slice.LANGUAGE, Slice.MONTH)


class Unit(TextChoices):
    COUNT = "count"
    DAYS = "days"
    PERCENT = "percent"


@dataclass(frozen=True)
class Column:
    """`name` as `counts` has it."""

    name: str
    heading: Text
    unit: Unit = Unit.COUNT


@dataclass(frozen=True)
class Report:
    """The first of `slices` is shown at first; the first of `columns` orders rows without an order of their own.

    `drawn`: the columns in the chart, one or two. `untold(asked, slice_)`: those that have nothing to tell there, which
    is another thing than none.
    """

    name: str
    title: Text
    about: Text
    slices: tuple[Slice, ...]
    columns: tuple[Column, ...]
    drawn: tuple[str, ...]
    count: Callable[[Asked, Slice | None], Counts]
    sorted_by: str = ""
    untold: Callable[[Asked, Slice | None], Sequence[str]] = lambda _asked, _slice: ()

    @property
    def order_column(self) -> str:
        """The largest of it stands first, where the rows have no order of their own."""
        return self.sorted_by or self.columns[0].name


_REPORTS: Final = (
    Report(
        name="queue",
        title=_("The queue and its movement"),
        about=_(
            "Waiting are all who hold a number now, also with a bid or a referral under way; by month, those who held "
            "one at its end. Came and left is whoever got or lost a number in these months, from or to another queue "
            "included; enrolled are those who left with a contract."
        ),
        slices=_EVERYWHERE,
        columns=(
            Column("waiting", _("Waiting")),
            Column("came", _("Came")),
            Column("left", _("Left the queue")),
            Column("enrolled", _("Enrolled")),
        ),
        drawn=("waiting",),
        count=counts.queue,
    ),
    Report(
        name="places",
        title=_("Places by group and year"),
        about=_(
            "Groups and their capacity are those of today, and can't be told by birth year or month. Published are all "
            "places of the vacancies published in these months, also of those recalled later; signed are contracts by "
            "the day of signing, without those that were undone."
        ),
        slices=(Slice.AGE_GROUP, Slice.YEAR, Slice.KINDERGARTEN, Slice.LOCALITY, Slice.LANGUAGE, Slice.MONTH),
        columns=(
            Column("groups", _("Groups")),
            Column("capacity", _("Capacity")),
            Column("published", _("Places published")),
            Column("signed", _("Contracts signed")),
        ),
        drawn=("published", "signed"),
        count=counts.places,
        sorted_by="published",
        untold=counts.untold_of_places,
    ),
    Report(
        name="waits",
        title=_("Days to referral"),
        about=_(
            "Whole calendar days from the date in the queue to the referral, of the referrals issued in these months. "
            "Half waited no longer than the median, and nine of ten no longer than the last column."
        ),
        slices=(Slice.MONTH, Slice.YEAR, Slice.LOCALITY, Slice.LANGUAGE, Slice.KINDERGARTEN),
        columns=(
            Column("referrals", _("Referrals")),
            Column("median", _("Median, days"), Unit.DAYS),
            Column("slow", _("Nine of ten, days"), Unit.DAYS),
        ),
        drawn=("median", "slow"),
        count=counts.waits,
    ),
    Report(
        name="answers",
        title=_("Refusals and overdue answers"),
        about=_(
            "Bids sent in these months to which a kindergarten owed an answer; its time is counted in working days. "
            "Ended without an answer are those that the family withdrew or whose place was recalled. Late is what was "
            "decided or withdrawn after the last day, overdue what waits past it now; a refusal that was undone is "
            "none."
        ),
        slices=(Slice.KINDERGARTEN, *_EVERYWHERE),
        columns=(
            Column("bids", _("Bids")),
            Column("accepted", _("Accepted")),
            Column("refused", _("Refused")),
            Column("waiting", _("Wait for an answer")),
            Column("unanswered", _("Ended without an answer")),
            Column("refused_percent", _("Refused, %"), Unit.PERCENT),
            Column("late", _("Answered late")),
            Column("overdue", _("Overdue now")),
            Column("late_in_all", _("Late in all")),
            Column("stood_in", _("Decided by the department")),
        ),
        drawn=("refused", "late_in_all"),
        count=counts.answers,
        sorted_by="late_in_all",
    ),
    Report(
        name="no-shows",
        title=_("No-shows"),
        about=_(
            "Referrals issued in these months, by how they ended: a no-show is one that ran out without a contract. "
            "The last column is its share of all that have ended; how often a family came is not recorded. "
            "One that ended because its group closed counts as revoked, too, and is no decision of the kindergarten."
        ),
        slices=(Slice.KINDERGARTEN, *_EVERYWHERE),
        columns=(
            Column("referrals", _("Referrals")),
            *(Column(state.value, state.label) for state in ReferralState),
            Column("expired_percent", _("No-shows, %"), Unit.PERCENT),
        ),
        drawn=("expired",),
        count=counts.no_shows,
        sorted_by="expired",
    ),
    Report(
        name="benefits",
        title=_("Benefits by category"),
        about=_(
            "Benefits claimed in these months, by what became of them until now. A family that claims again after a "
            "refusal is counted again."
        ),
        slices=(Slice.CATEGORY, *_EVERYWHERE),
        columns=(
            Column("claims", _("Claimed")),
            *(Column(state.value, state.label) for state in BenefitState),
        ),
        drawn=("claims", "verified"),
        count=counts.benefits,
    ),
    Report(
        name="corrections",
        title=_("Corrections of the queue"),
        about=_(
            "Corrections proposed in these months, by what was decided; the portal itself proposes those by the person "
            "registry. One that changes both the time of filing and the birth year is counted in both columns."
        ),
        slices=_EVERYWHERE,
        columns=(
            Column("corrections", _("Proposed")),
            *(Column(state.value, state.label) for state in CorrectionState),
            Column("of_registry", _("By the registry")),
            Column("of_date", _("Of the time of filing")),
            Column("of_year", _("Of the birth year")),
        ),
        drawn=("corrections",),
        count=counts.corrections,
    ),
)
REPORTS: Final[Mapping[str, Report]] = {one.name: one for one in _REPORTS}
