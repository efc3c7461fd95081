"""The start of the cabinet, the two lists of applications, and the page of one."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.decorators import parent_required
from accounts.models import User
from accounts.numbers.stopping import under_way
from applications.access.family import applications_of, collected_among, settled_for, with_standing
from applications.alerts.choosing import alert_of, may_have
from applications.complaints.whose import Sender
from applications.disputes.halts import may_now
from applications.families.situation import Situation, interest_of, situation_of
from applications.forecast.outlook import outlook_of
from applications.models import Application
from applications.rules.interest import Campaign
from applications.states import ApplicationState, Move, label_of
from applications.views.cabinet.benefits import benefits_of
from applications.views.cabinet.sent_files import sent_for_extension
from applications.views.complaint_pages import open_about
from applications.views.people import own_application, parent
from applications.waiting.campaigns import campaigns_asking
from applications.waiting.claiming import former_row_of, unclaimed_among
from applications.waiting.filing import archive_undo_ends, last_moves
from children.access import children_of, undecided_claims_of
from children.disputes import stoppable
from children.models import Child
from notifications.clock import estimate_clock


@dataclass(frozen=True)
class ChildCard:
    """A child at the start of the cabinet, with the newest application that is not in the archive."""

    child: Child
    situation: Situation | None
    # Without such an application: the one in the archive that the reader can still restore.
    restorable: "Archived | None" = None
    # Its application, if the reader may not know where it stands.
    withheld: Application | None = None
    # Whether one of the former queue waits to be claimed.
    is_unclaimed: bool = False


@dataclass(frozen=True)
class Archived:
    """An application in the archive: why it is there, and until when the reader can restore it."""

    application: Application
    undo_until: datetime
    may_restore: bool
    by_family: bool
    reason: str


@require_safe
@parent_required
def start(request: HttpRequest) -> HttpResponse:
    """A card per child: number, step, next deadline. Before them, who was added that the reader may stop."""
    now, user = estimate_clock(), parent(request)
    newest: dict[UUID, Application] = {}
    for application in _present_applications(user, now=now):
        newest.setdefault(application.child_id, application)
    children = list(children_of(user))
    is_archive_read = any(child.pk not in newest for child in children)
    restorable: dict[UUID, Archived] = {}
    for row in _archive_of(user, now=now) if is_archive_read else []:
        if row.may_restore:
            restorable.setdefault(row.application.child_id, row)
    unclaimed = unclaimed_among(child for child in children if child.pk not in newest)
    cards = [
        ChildCard(child, None, is_unclaimed=True)
        if child.pk in unclaimed
        else _card(child, newest.get(child.pk), restorable.get(child.pk), now=now)
        for child in children
    ]
    context = {
        "cards": cards,
        "claims": undecided_claims_of(user),
        "unknown": stoppable(user, now=now).filter(dispute__isnull=True),
        **under_way(user),
    }
    return render(request, "applications/start.html", context)


@require_safe
@parent_required
def application_list(request: HttpRequest) -> HttpResponse:
    """«Өтініштер тізімі»: everything that is not in the archive."""
    now = estimate_clock()
    present = _present_applications(parent(request), now=now)
    shown = [application for application in present if application.asker_may_know]
    asking = campaigns_asking(shown, now=now)
    collected = collected_among(shown)
    rows = [
        {
            **_listed(application, asking.get(application.pk)),
            "state_label": label_of(application.state, is_collected=application.pk in collected),
        }
        for application in shown
    ]
    withheld = [application for application in present if not application.asker_may_know]
    return render(request, "applications/list.html", {"rows": rows, "withheld": withheld, "tab": "list"})


@require_safe
@parent_required
def archived_list(request: HttpRequest) -> HttpResponse:
    """«Өтініштер мұрағаты»: with the button to restore while that is possible."""
    rows = _archive_of(parent(request), now=estimate_clock())
    return render(request, "applications/archive.html", {"rows": rows, "tab": "archive"})


@require_safe
@parent_required
def application_page(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The number, the next step, the deadline, the four steps and the history of one application."""
    now = estimate_clock()
    application = own_application(request, pk, now=now)
    is_archived = application.state == ApplicationState.ARCHIVED
    situation = situation_of(application, now=now)
    context = {
        "application": application,
        "situation": situation,
        **_wait(application, situation, now=now),
        "just_filed": "filed" in request.GET and application.state == ApplicationState.WAITING,
        "just_claimed": "claimed" in request.GET and application.state == ApplicationState.WAITING,
        "former": former_row_of(application),
        "may_archive": may_now(application, Move.ARCHIVE),
        "may_have_alert": may_have(application),
        "alert": alert_of(application, parent(request)),
        "archived": _archived([application], reader=parent(request), now=now)[0] if is_archived else None,
        "benefits": benefits_of(application, reader=parent(request), now=now),
        "sent": sent_for_extension(application, sender=parent(request)),
        "complaints": open_about(Sender(user=parent(request)), application, now=now),
        "events": application.events.select_related("actor").order_by("-id"),
    }
    return render(request, "applications/application.html", context)


def _wait(application: Application, situation: Situation, *, now: datetime) -> dict[str, Any]:
    """How long a waiting family may still wait, and where it can ask about other queues."""
    if application.state != ApplicationState.WAITING or situation.position is None:
        return {}
    asked = {
        "place": application.locality.slug,
        "birth_year": application.birth_year,
        "tier": application.tier,
    }
    outlook = outlook_of(application, situation.position, now=now)
    hint = _("an estimate, for eight waits of ten")
    if outlook.may_outlast:
        until = date_format(outlook.last_day, "SHORT_DATE_FORMAT")
        hint = _("an estimate; children of this birth year wait until %(day)s at most") % {"day": until}
    return {
        "outlook": outlook,
        "outlook_hint": hint,
        "outlook_url": f"{reverse('applications:forecast')}?{urlencode(asked)}",
    }


def _card(
    child: Child, application: Application | None, restorable: Archived | None, *, now: datetime
) -> ChildCard:
    if application is None:
        return ChildCard(child, None, restorable)
    if not application.asker_may_know:
        return ChildCard(child, None, withheld=application)
    return ChildCard(child, situation_of(application, now=now))


def _present_applications(user: User, *, now: datetime) -> list[Application]:
    """The family's applications outside the archive, newest first, brought up to `now`."""
    present = applications_of(user).exclude(state=ApplicationState.ARCHIVED)
    settled = settled_for(user, present, now=now)
    return [application for application in settled if application.state != ApplicationState.ARCHIVED]


def _listed(application: Application, campaign: Campaign | None) -> dict[str, Any]:
    return {
        "application": application,
        "may_archive": may_now(application, Move.ARCHIVE),
        "interest": interest_of(application, campaign),
        "must_confirm": campaign is not None or not application.is_interested,
    }


def _archive_of(user: User, *, now: datetime) -> list[Archived]:
    """The family's archive, newest first, without what is withheld from `user`."""
    in_archive = list(applications_of(user).filter(state=ApplicationState.ARCHIVED).order_by("-archived_at"))
    shown = [one for one in with_standing(user, in_archive) if one.asker_may_know]
    return _archived(shown, reader=user, now=now)


def _archived(applications: Collection[Application], *, reader: User, now: datetime) -> list[Archived]:
    reasons = {
        Move.ARCHIVE: _("By the family"),
        Move.AGE_OUT: _("The child has reached school age"),
        Move.END_CONTRACT: _("The child left the kindergarten"),
        Move.END_LAPSED: _("Interest in a place was not confirmed"),
    }
    if not applications:
        return []
    moves, ends = last_moves(applications), archive_undo_ends(applications, by=reader, now=now)
    rows = []
    for application in applications:
        move, undo_until = moves.get(application.pk), ends[application.pk]
        by_family = move == Move.ARCHIVE
        may_restore = by_family and now < undo_until and may_now(application, Move.RESTORE)
        reason = reasons.get(move, "—") if move else "—"
        rows.append(Archived(application, undo_until, may_restore, by_family, reason))
    return rows
