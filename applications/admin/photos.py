"""Photos of kindergartens: sent by the kindergarten, published by an official."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.decorators import accepts
from accounts.file_response import file_response
from accounts.models import User
from accounts.public_text import refuse_personal_numbers
from accounts.uploads import PHOTO_INPUT
from applications.admin.in_turn import InTurn
from applications.admin.work import (
    Rows,
    SeenForm,
    Words,
    Work,
    WorkAdmin,
    key_in,
    page_of,
    reason_field,
    staff_of,
    tag,
    written,
)
from bulletin import photos
from bulletin.employment import kindergartens_of
from bulletin.kazakh_order import ByName
from bulletin.models import Kindergarten, Photo
from bulletin.photos import MODERATE, SEND
from bulletin.seen import mark_of
from notifications.clock import read_clock

TONES: Final = {
    Photo.State.PENDING: "warning",
    Photo.State.PUBLISHED: "success",
    Photo.State.REJECTED: "neutral",
    Photo.State.TAKEN_DOWN: "neutral",
}


class SendForm(forms.Form):
    """A photo, what it shows in both languages, and what its sender answers for."""

    kindergarten = forms.ModelChoiceField(label=_("kindergarten"), queryset=Kindergarten.objects.none())
    photo = forms.FileField(
        label=_("photo"),
        help_text=_(
            "JPEG, PNG, HEIC or WebP, at most 5 MB. Each side has 320 pixels at least; the longer one is at most four "
            "times the shorter."
        ),
        widget=forms.FileInput(attrs={**PHOTO_INPUT}),
        max_length=200,
    )
    caption_kk = forms.CharField(
        label=_("what the photo shows, in Kazakh"), max_length=120, validators=[refuse_personal_numbers]
    )
    caption_ru = forms.CharField(
        label=_("what the photo shows, in Russian"), max_length=120, validators=[refuse_personal_numbers]
    )
    children = forms.ChoiceField(
        label=_("children on the photo"), choices=Photo.Children.choices, widget=forms.RadioSelect
    )


class DeclineForm(SeenForm):
    reason = reason_field(help_text=_("Employees of the kindergarten read it."))


class TakeDownForm(SeenForm):
    reason = reason_field(
        help_text=_("Officials read it. Name no child: “a family took back its consent” is enough.")
    )


def _seen(photo: Photo) -> dict[str, Any]:
    return {"seen": mark_of(photo)}


def _publish(photo: Photo, actor: User, data: dict[str, Any], now: datetime) -> None:
    photos.moderate_photo(photo, actor=actor, publish=True, seen=data["seen"], now=now)


def _decline(photo: Photo, actor: User, data: dict[str, Any], now: datetime) -> None:
    photos.moderate_photo(
        photo, actor=actor, publish=False, reason=data["reason"], seen=data["seen"], now=now
    )


def _take_down(photo: Photo, actor: User, data: dict[str, Any], now: datetime) -> None:
    photos.take_down_photo(photo, actor=actor, reason=data["reason"], seen=data["seen"], now=now)


def _in(*states: Photo.State) -> Callable[[Photo, datetime], bool]:
    def offered(photo: Photo, _now: datetime) -> bool:
        return photo.state in states

    return offered


@admin.register(Photo)
class PhotoAdmin(InTurn, WorkAdmin):
    """Everyone sees the photos of their own kindergartens; a photo is never edited, only shown or not."""

    permission_to_decide = MODERATE
    change_list_template = "admin/bulletin/photo/change_list.html"
    list_display = [
        "shown_caption",
        "kindergarten_name",
        "shown_state",
        "decision_reason",
        "sent_at",
        "sent_by",
    ]
    list_filter = ["state"]
    list_select_related = ["kindergarten__locality", "sent_by__employee"]
    search_fields = ["kindergarten__search_text"]
    search_help_text = _("A part of the kindergarten's name in either language.")
    ordering = ["-sent_at"]
    most_urgent = ("sent_at", "pk")
    fields = [
        "picture",
        "kindergarten",
        "caption_kk",
        "caption_ru",
        "children",
        "shown_state",
        "sent_at",
        "sent_by",
        "decided_at",
        "decided_by",
        "decision_reason",
    ]
    works = [
        Work(
            name="publish",
            label=_("Publish"),
            consequence=_(
                "Everyone sees it on the kindergarten's page. Look whether a child can be recognised, and whether that "
                "is what the kindergarten says of it."
            ),
            done=_("The photo is published."),
            permission=MODERATE,
            offered=_in(Photo.State.PENDING, Photo.State.REJECTED),
            perform=_publish,
            form=SeenForm,
            initial=_seen,
            is_in_journal=True,
        ),
        Work(
            name="take-down",
            label=_("Take down"),
            consequence=_(
                "Nobody outside sees it any more; who has opened the page keeps it in the browser for up to a minute. "
                "It can't be published again: send it anew if that is needed."
            ),
            done=_("The photo is taken down."),
            permission=SEND,
            offered=_in(Photo.State.PENDING, Photo.State.PUBLISHED, Photo.State.REJECTED),
            perform=_take_down,
            form=TakeDownForm,
            initial=_seen,
            danger=True,
            is_in_journal=True,
        ),
        Work(
            name="decline",
            label=_("Do not publish"),
            consequence=_("Nobody outside sees it. The kindergarten reads your reason."),
            done=_("The photo is not published."),
            permission=MODERATE,
            offered=_in(Photo.State.PENDING),
            perform=_decline,
            form=DeclineForm,
            initial=_seen,
            danger=True,
            is_in_journal=True,
        ),
        Work(
            name="withdraw",
            label=_("Publish no longer"),
            consequence=_(
                "Nobody outside sees it any more; who has opened the page keeps it in the browser for up to a minute. "
                "The kindergarten reads your reason."
            ),
            done=_("The photo is no longer published."),
            permission=MODERATE,
            offered=_in(Photo.State.PUBLISHED),
            perform=_decline,
            form=DeclineForm,
            initial=_seen,
            danger=True,
            is_in_journal=True,
        ),
    ]

    def waiting_for(self, employee: User) -> "QuerySet[Photo]":
        return Photo.objects.filter(state=Photo.State.PENDING)

    def note(self, request: HttpRequest, obj: Photo) -> Words:
        """Of what nobody outside sees any more: who decided that, when, and why."""
        if obj.decided_at is None or obj.state == Photo.State.PUBLISHED:
            return ""
        if obj.state == Photo.State.TAKEN_DOWN:
            said = gettext("Taken down by the kindergarten: %(who)s, %(day)s. Reason: %(why)s")
        else:
            said = gettext("Not published: %(who)s, %(day)s. Reason: %(why)s")
        day = written(obj.kindergarten.locality.day(obj.decided_at))
        return said % {"who": obj.decided_by, "day": day, "why": obj.decision_reason}

    def zone_of(self, obj: Photo) -> Any:
        return obj.kindergarten.locality.zone

    def summary(self, obj: Photo) -> Rows:
        return [
            {"label": gettext("Kindergarten"), "value": obj.kindergarten.name},
            {"label": gettext("Photo"), "value": self.picture(obj)},
            {"label": capfirst(gettext("what the photo shows, in Kazakh")), "value": obj.caption_kk},
            {"label": capfirst(gettext("what the photo shows, in Russian")), "value": obj.caption_ru},
            {"label": capfirst(gettext("children on the photo")), "value": obj.get_children_display()},
        ]

    def chosen_facts(self, rows: Sequence[Photo]) -> list[Rows]:
        return [self.summary(row) for row in rows]

    @admin.display(description=_("State"), ordering="state")
    def shown_state(self, obj: Photo) -> str:
        return tag(obj.get_state_display(), tone=TONES[Photo.State(obj.state)])

    @admin.display(description=_("Kindergarten"), ordering=ByName("kindergarten__"))
    def kindergarten_name(self, obj: Photo) -> str:
        return obj.kindergarten.name

    @admin.display(description=_("What the photo shows"))
    def shown_caption(self, obj: Photo) -> str:
        return obj.caption

    @admin.display(description=_("Photo"))
    def picture(self, obj: Photo) -> str:
        return format_html(
            '<img class="picture" src="{}" alt="{}" width="480" loading="lazy">',
            reverse("admin:bulletin_photo_file", args=[obj.pk]),
            obj.caption,
        )

    # --- addresses -------------------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        own = [
            path("<uuid:pk>/file/", self.admin_site.admin_view(self.file_view), name="bulletin_photo_file"),
            path("send/", self.admin_site.admin_view(self.send_view), name="bulletin_photo_send"),
        ]
        return [*own, *super().get_urls()]

    def file_view(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """The photo as it is kept, also while nobody outside sees it."""
        photo = self.found(request, str(pk))
        try:
            return file_response(photo.image, name=photo.caption, shown=True)
        except FileNotFoundError:
            raise Http404 from None

    @method_decorator(
        [accepts(settings.UPLOAD_FORM_MAX_BYTES), never_cache, require_http_methods(["GET", "HEAD", "POST"])]
    )
    def send_view(self, request: HttpRequest) -> HttpResponse:
        """Send a photo of an own kindergarten; outside of a transaction, since it is redrawn meanwhile."""
        employee = staff_of(request)
        if not employee.has_perm(SEND):
            raise PermissionDenied
        is_sent = request.method == "POST"
        form = SendForm(request.POST, request.FILES) if is_sent else SendForm()
        now = read_clock()
        own = kindergartens_of(employee, today=timezone.localdate(now))
        self._offer(form, own, asked=request.GET.get("kindergarten", ""))
        if is_sent and form.is_valid():
            data = form.cleaned_data
            try:
                photo = photos.send_photo(
                    data["kindergarten"],
                    file=data["photo"],
                    caption_kk=data["caption_kk"],
                    caption_ru=data["caption_ru"],
                    children=Photo.Children(data["children"]),
                    actor=employee,
                    now=now,
                )
            except ValidationError as refusal:
                form.add_error("photo", refusal)
            else:
                messages.success(
                    request, gettext("The photo is sent. An official decides whether it is published.")
                )
                return HttpResponseRedirect(page_of(photo))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": gettext("Send a photo"),
            "form": form,
            "errors": form.errors,
        }
        return TemplateResponse(request, "admin/bulletin/photo/send.html", context)

    def _offer(self, form: SendForm, own: "QuerySet[Kindergarten]", *, asked: str) -> None:
        """Own kindergartens to choose from; the one that the link names, or the only one, is chosen already."""
        field = form.fields["kindergarten"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = own
        first = list(own[:2])
        if len(first) == 1:
            field.initial = first[0].pk
        else:
            field.initial = key_in(asked)
