"""Files shown back to the guardian who sent them: what is stored is a copy, which may lack something."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.db.models.fields.files import FieldFile
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.decorators import parent_required
from accounts.file_response import file_response
from accounts.models import User
from accounts.uploads import Upload
from applications.access.family import benefit_for
from applications.models import Application, Benefit, ExtensionDocument
from applications.views.people import own_application, parent
from notifications.clock import estimate_clock


@dataclass(frozen=True)
class SentFile:
    """A link to a file, for its sender."""

    name: str
    url: str


def sent_for_extension(application: Application, *, sender: User) -> list[SentFile]:
    """The documents of the application's extensions that `sender` sent; other guardians' files are left out."""
    documents = ExtensionDocument.objects.filter(
        extension__referral__application=application, extension__made_by=sender
    ).order_by("original_name", "pk")
    return [
        SentFile(
            name=document.original_name,
            url=reverse("applications:sent_document", args=[application.pk, document.pk]),
        )
        for document in documents
    ]


def sent_for_benefit(benefit: Benefit, *, sender: User) -> SentFile | None:
    """The document of a benefit if `sender` sent it; none once its retention period is over."""
    if benefit.claimed_by_id != sender.pk or not benefit.document:
        return None
    url = reverse("applications:sent_proof", args=[benefit.application_id, benefit.pk])
    return SentFile(name=benefit.original_name, url=url)


@require_safe
@parent_required
def extension_document(request: HttpRequest, pk: UUID, document_pk: UUID) -> HttpResponse:
    """One document of an extension, for its sender."""
    application = own_application(request, pk, now=estimate_clock())
    document = ExtensionDocument.objects.filter(
        pk=document_pk,
        extension__referral__application=application,
        extension__made_by=parent(request),
    ).first()
    if document is None:
        raise Http404
    return _file(request, application, document.file, name=document.original_name)


@require_safe
@parent_required
def benefit_proof(request: HttpRequest, pk: UUID, benefit_pk: UUID) -> HttpResponse:
    """The document of a benefit, for its sender."""
    application = own_application(request, pk, now=estimate_clock())
    benefit = benefit_for(application, benefit_pk)
    if benefit.claimed_by_id != parent(request).pk:
        raise Http404
    return _file(request, application, benefit.document, name=benefit.original_name)


def warn_of_losses(request: HttpRequest, uploads: Iterable[Upload]) -> None:
    """Tell the sender what was in the files and is not in the copies."""
    for upload in uploads:
        if upload.loss:
            messages.warning(request, upload.loss)


def _file(request: HttpRequest, application: Application, file: FieldFile, *, name: str) -> HttpResponse:
    try:
        return file_response(file, name=name, shown=True)
    except FileNotFoundError:
        messages.info(request, _("This file is no longer kept."))
        return redirect(application)
