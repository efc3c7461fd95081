"""Messages as employees see them: whether they arrived, and a button to send one again. Never a secret text."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.html import format_html
from django.utils.timezone import localtime
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from notifications.clock import estimate_clock, read_clock
from notifications.kinds import READS_NAMES, is_secret
from notifications.models import Mail, Message, Notice, Outgoing
from notifications.retention import TEXT_KEPT_FOR
from notifications.selectors import undelivered
from notifications.services import can_send_again, send_again
from notifications.text import mask_phone, segments
from notifications.troubles import in_words


class SendAgainForm(forms.Form):
    """Why a message is sent again."""

    reason = forms.CharField(
        label=_("Reason"),
        help_text=_(
            "What is the cause, and who asked for it? It stands in the audit, and its recipient reads it."
        ),
        min_length=3,
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3, "cols": 60}),
    )


def _no_names() -> str:
    return gettext("Hidden: it may name people.")


def _why_empty(message: Outgoing) -> str:
    if message.created_at < estimate_clock() - TEXT_KEPT_FOR:
        return gettext("Deleted: texts are kept for %(days)s days.") % {"days": TEXT_KEPT_FOR.days}
    return gettext("It was sent again: the text is with the newer sending.")


class _Record(admin.ModelAdmin):  # type: ignore[type-arg]
    """A record of what happened: it can't be added, edited or deleted here.

    Its texts are for who may read the names of families; nothing searches in them.
    """

    # What stands instead of a text for everybody else.
    without_names: Mapping[str, str] = {}

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        fields = super().get_fields(request, obj)
        instead = {} if request.user.has_perm(READS_NAMES) else self.without_names
        return list(dict.fromkeys(instead.get(str(name), name) for name in fields))

    @admin.display(description=_("kind"), ordering="kind")
    def kind_title(self, row: Any) -> str:
        return str(row.kind_title)

    def whose_data(self, obj: Any) -> list[Any]:
        """Whoever it was sent to: a look at the page is entered in their journal."""
        return [obj.recipient] if obj.recipient is not None and not obj.recipient.is_staff else []

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        # The list keeps its actions for users with the right to change; a single row is always read-only.
        return obj is None and super().has_change_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class UndeliveredFilter(admin.SimpleListFilter):
    """What did not arrive lately: the start page leads here."""

    title = _("delivery")
    parameter_name = "delivery"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("failed", _("not delivered in the last seven days, without codes"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return undelivered(queryset, now=estimate_clock()) if self.value() == "failed" else queryset


class _Outbox(_Record):
    """What is on its way, or was: a secret text is never shown."""

    list_filter = [UndeliveredFilter, "state", "kind", "language", "created_at"]
    actions = ["send_again"]
    without_names = {"shown_text": "hidden_text"}

    @admin.display(description=_("text"))
    def hidden_text(self, message: Outgoing) -> str:
        return self.shown_text(message) if is_secret(message.kind) else _no_names()

    @admin.display(description=_("text"))
    def shown_text(self, message: Outgoing) -> str:
        if is_secret(message.kind):
            return str(_("Hidden: it holds a secret code."))
        if message.text is None:
            return str(_("Can't be read: its key is missing."))
        return message.text or _why_empty(message)

    @admin.display(description=_("error"))
    def trouble(self, message: Outgoing) -> str:
        words, code = in_words(message.error)
        return format_html("{} <code>{}</code>", words, code) if code else words or "—"

    @admin.action(description=_("Send again"), permissions=["change"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """Asked once more first: what is sent costs money, and somebody reads it a second time."""
        chosen = list(queryset)
        able = [message for message in chosen if can_send_again(message)]
        form = SendAgainForm(request.POST if "confirmed" in request.POST else None)
        if able and not form.is_valid():
            context = {
                **self.admin_site.each_context(request),
                "opts": self.opts,
                "form": form,
                "title": gettext("Send again"),
                "chosen": able,
                "left_out": [message for message in chosen if message not in able],
            }
            return TemplateResponse(request, "admin/send_again.html", context)
        now = read_clock()
        reason = form.cleaned_data["reason"] if able else ""
        results = [self._send_again(request, message, reason, now=now) for message in chosen]
        done = sum(goes_at is not None and goes_at <= now for goes_at in results)
        by_day = [goes_at for goes_at in results if goes_at is not None and goes_at > now]
        left = results.count(None)
        if done:
            text = ngettext(
                "Will be sent again: %(count)s message", "Will be sent again: %(count)s messages", done
            )
            messages.success(request, text % {"count": done})
        if by_day:
            text = ngettext(
                "Will be sent by day, from %(at)s on: %(count)s message",
                "Will be sent by day, from %(at)s on: %(count)s messages",
                len(by_day),
            )
            at = f"{localtime(min(by_day)):%d.%m.%Y %H:%M}"
            messages.success(request, text % {"count": len(by_day), "at": at})
        if left:
            text = ngettext(
                "Can't be sent again (a secret code, or still on its way): %(count)s message",
                "Can't be sent again (secret codes, or still on their way): %(count)s messages",
                left,
            )
            messages.warning(request, text % {"count": left})
        return None

    def _send_again(
        self, request: HttpRequest, message: Any, reason: str, *, now: datetime
    ) -> datetime | None:
        with transaction.atomic():
            goes_at = send_again(message, now=now)
            if goes_at is not None:
                self.note_sent_again(request, message, reason)
        return goes_at

    def note_sent_again(self, request: HttpRequest, message: Any, reason: str) -> None:
        """The workplace enters it into the audit, which belongs to an app above (`balabaqsha.staff_audit`)."""


@admin.register(Message)
class MessageAdmin(_Outbox):
    list_display = [
        "created_at",
        "masked_phone",
        "kind_title",
        "language",
        "state",
        "attempts",
        "sent_at",
        "trouble",
    ]
    search_fields = ["phone__exact"]
    search_help_text = _("A whole phone number, as +77017779876.")
    fields = [
        "created_at",
        "masked_phone",
        "kind",
        "language",
        "shown_text",
        "segment_count",
        "state",
        "attempts",
        "next_attempt_at",
        "give_up_at",
        "sent_at",
        "provider_id",
        "trouble",
    ]

    @admin.display(description=_("phone"))
    def masked_phone(self, message: Message) -> str:
        return mask_phone(message.to)

    @admin.display(description=_("segments"))
    def segment_count(self, message: Message) -> int:
        return message.segments or segments(message.text or "")


@admin.register(Mail)
class MailAdmin(_Outbox):
    list_display = ["created_at", "kind_title", "language", "state", "attempts", "sent_at", "trouble"]
    fields = [
        "created_at",
        "kind",
        "language",
        "shown_text",
        "state",
        "attempts",
        "next_attempt_at",
        "give_up_at",
        "sent_at",
        "trouble",
    ]


@admin.register(Notice)
class NoticeAdmin(_Record):
    list_display = ["created_at", "kind_title", "read_at"]
    list_filter = ["kind", "created_at"]
    fields = ["created_at", "kind", "text_kk", "text_ru", "link", "read_at"]
    without_names = {"text_kk": "hidden_text", "text_ru": "hidden_text"}

    @admin.display(description=_("text"))
    def hidden_text(self, notice: Notice) -> str:
        return _no_names()
