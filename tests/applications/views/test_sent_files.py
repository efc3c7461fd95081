"""What a family sent is shown back to who sent it, and to nobody else."""

import io
from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from PIL import Image
from pypdf import PdfReader

from applications.jobs import retention
from applications.models import Benefit, ExtensionDocument
from applications.referrals import extending, issuing
from tests.accounts.safe_copy.pdfs import pdf
from tests.applications.bidding.reference import place_bid
from tests.factories import BenefitCategoryFactory, BenefitFactory, GuardianshipFactory, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("scene_once")]


def picture(file_type="JPEG") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (60, 40), "red").save(buffer, file_type)
    return buffer.getvalue()


@pytest.fixture
def family(clock, scene, client_of):
    return client_of(scene.parent)


@pytest.fixture
def other_guardian(scene, client_of):
    user = UserFactory.create()
    GuardianshipFactory(user=user, child=scene.application.child)
    return client_of(user)


@pytest.fixture
def referral(clock, scene):
    bid = place_bid(scene.application, scene.vacancy, actor=scene.parent, now=scene.now)
    return issuing.activate_bid(bid, actor=scene.staff, now=scene.now)


def extend(scene, referral, *documents: tuple[str, str, bytes]):
    extending.extend_referral(
        referral,
        actor=scene.parent,
        until=extending.longest_extension(referral),
        reason="illness",
        documents=[(name, ContentFile(content, name=f"x.{ending}")) for name, ending, content in documents],
        now=scene.now,
    )


def address(document: ExtensionDocument) -> str:
    application = document.extension.referral.application
    return reverse("applications:sent_document", args=[application.pk, document.pk])


class TestExtension:
    def test_every_file_that_was_sent_can_be_looked_at(self, family, scene, referral):
        """The whole way: a picture of a scanner, a PDF with a script, and what the family sees of them."""
        row = (65535).to_bytes(2, "little") * 10 + (32768).to_bytes(2, "little") * 10
        scan = Image.frombytes("I;16", (20, 10), row * 10)
        buffer = io.BytesIO()
        scan.save(buffer, "PNG")
        files = [
            SimpleUploadedFile("скан.png", buffer.getvalue()),
            SimpleUploadedFile("анықтама.pdf", pdf(root=b"/OpenAction << /S /JavaScript /JS (x) >>")),
        ]
        answers = {"until": "02.08.2019", "reason": "illness", "explanation": "", "confirmed": "on"}
        page = family.post(
            reverse("applications:extend", args=[scene.application.pk]),
            answers | {"documents": files},
            follow=True,
        )
        by_name = {document.original_name: document for document in ExtensionDocument.objects.all()}
        assert set(by_name) == {"скан.png", "анықтама.pdf"}
        for document in by_name.values():
            assert f'href="{address(document)}"' in page.content.decode()
        shown = family.get(address(by_name["скан.png"]))
        assert shown["Content-Disposition"].startswith("inline")
        assert shown["Content-Type"] == "image/png"
        shades = Image.open(io.BytesIO(shown.content)).convert("L")
        assert shades.getpixel((1, 5)) == 255
        assert 120 < shades.getpixel((18, 5)) < 136
        paper = family.get(address(by_name["анықтама.pdf"]))
        assert paper["Content-Disposition"].startswith("attachment")
        assert PdfReader(io.BytesIO(paper.content)).pages[0].extract_text() == "Anyqtama"

    def test_what_is_not_kept_is_told(self, family, scene, referral):
        spec = b"<< /Type /Filespec /F (a.exe) /EF << /F 11 0 R >> >>"
        content = pdf(
            root=b"/Names << /EmbeddedFiles << /Names [(a) 10 0 R] >> >>", _10=spec, _11=b"<< /Length 0 >>"
        )
        answers = {"until": "02.08.2019", "reason": "illness", "explanation": "", "confirmed": "on"}
        page = family.post(
            reverse("applications:extend", args=[scene.application.pk]),
            answers | {"documents": [SimpleUploadedFile("келісім.pdf", content)]},
            follow=True,
        ).content.decode()
        assert "Файл: келісім.pdf. Ішінен сақталмағаны: тіркелген файлдар." in page

    def test_no_browser_runs_or_keeps_it(self, family, scene, referral):
        extend(scene, referral, ("a.jpg", "jpg", picture()))
        answer = family.get(address(ExtensionDocument.objects.get()))
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
        assert "no-store" in answer["Cache-Control"]

    def test_what_was_called_pdf_and_is_a_picture_is_shown_as_one(self, family, scene, referral):
        extend(scene, referral, ("анықтама.pdf", "jpg", picture()))
        assert family.get(address(ExtensionDocument.objects.get()))["Content-Type"] == "image/jpeg"

    def test_nobody_else_gets_it(self, scene, referral, other_guardian, client, client_of, family):
        extend(scene, referral, ("ауру.jpg", "jpg", picture()))
        document = ExtensionDocument.objects.get()
        assert other_guardian.get(address(document)).status_code == 404
        assert "ауру.jpg" not in other_guardian.get(scene.application.get_absolute_url()).content.decode()
        assert client_of(UserFactory.create()).get(address(document)).status_code == 404
        assert client.get(address(document)).status_code == 302
        other = reverse("applications:sent_document", args=[document.pk, document.pk])
        assert family.get(other).status_code == 404

    def test_a_page_that_is_closed_lists_them_too(self, family, scene, referral):
        extend(scene, referral, ("ауру.jpg", "jpg", picture()))
        page = family.get(reverse("applications:extend", args=[scene.application.pk]))
        assert "ауру.jpg" in page.content.decode()

    def test_a_file_that_is_gone_is_a_sentence(self, family, scene, referral):
        extend(scene, referral, ("a.jpg", "jpg", picture()))
        document = ExtensionDocument.objects.get()
        assert document.file.name
        document.file.storage.delete(document.file.name)
        answer = family.get(address(document), follow=True)
        assert answer.redirect_chain[0][0] == scene.application.get_absolute_url()
        assert "бұдан былай сақталмайды" in answer.content.decode()


class TestBenefit:
    def test_the_proof_can_be_looked_at_from_the_application(self, family, scene):
        category = BenefitCategoryFactory()
        file = SimpleUploadedFile("куәлік.webp", picture("WEBP"))
        page = family.post(
            reverse("applications:claim_benefit", args=[scene.application.pk]),
            {"category": category.pk, "document": file},
            follow=True,
        )
        benefit = Benefit.objects.get()
        url = reverse("applications:sent_proof", args=[scene.application.pk, benefit.pk])
        assert f'<a href="{url}">куәлік.jpg</a>' in page.content.decode()
        answer = family.get(url)
        assert answer["Content-Type"] == "image/jpeg"
        assert Image.open(io.BytesIO(answer.content)).size == (60, 40)

    def test_only_its_sender_gets_it(self, family, scene, other_guardian):
        benefit = BenefitFactory(application=scene.application, claimed_by=scene.parent)
        url = reverse("applications:sent_proof", args=[scene.application.pk, benefit.pk])
        assert family.get(url).status_code == 200
        assert other_guardian.get(url).status_code == 404
        assert (
            benefit.original_name
            not in other_guardian.get(scene.application.get_absolute_url()).content.decode()
        )

    def test_after_its_time_there_is_no_link(self, family, scene):
        benefit = BenefitFactory(
            application=scene.application, claimed_by=scene.parent, state="rejected", decided_at=scene.now
        )
        retention.purge_benefit_documents(now=scene.now + timedelta(days=91))
        assert benefit.original_name not in family.get(scene.application.get_absolute_url()).content.decode()
        url = reverse("applications:sent_proof", args=[scene.application.pk, benefit.pk])
        assert family.get(url).status_code == 302
