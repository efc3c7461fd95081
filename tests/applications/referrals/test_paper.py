"""The referral's paper: what it says, in which letters, and that it stays on one page."""

import io
from datetime import date, timedelta

import pikepdf
import pytest
import segno
import weasyprint.pdf.fonts
from django.core.files.base import ContentFile
from django.utils import translation
from pypdf import PdfReader

from applications.models import Referral
from applications.referrals import applicants, extending, issuing, paper
from applications.referrals.check_codes import address_of, code_of, grouped
from applications.referrals.paper import FONT_FOLDER, SHEET, OwnFilesOnly, render
from tests.applications.bidding.reference import place_bid
from tests.factories import GuardianshipFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("scene_once")]

# Letters of the Kazakh alphabet that the Russian one lacks.
KAZAKH_LETTERS = "әғқңөұүһі"
A4_POINTS = (595.3, 841.9)


@pytest.fixture
def referral(scene):
    child = scene.application.child
    child.last_name, child.first_name, child.middle_name = "КАМЕНОВА", "ДАНИЯ", "ЕРМЕКОВНА"
    child.save()
    bid = place_bid(scene.application, scene.vacancy, actor=scene.parent, now=scene.now)
    return issuing.activate_bid(bid, actor=scene.staff, now=scene.now)


def read(pdf: bytes) -> PdfReader:
    return PdfReader(io.BytesIO(pdf))


def text_of(referral: Referral) -> str:
    reader = read(render(referral))
    assert len(reader.pages) == 1
    return " ".join(reader.pages[0].extract_text().split())


def test_it_is_one_a4_page(referral):
    reader = read(render(referral))
    assert len(reader.pages) == 1
    box = reader.pages[0].mediabox
    assert (float(box.width), float(box.height)) == pytest.approx(A4_POINTS, abs=0.5)


def test_it_says_everything_in_both_languages(referral):
    kindergarten = referral.bid.vacancy.group.kindergarten
    text = text_of(referral)
    for words in (
        referral.number,
        referral.application.number,
        "КАМЕНОВА ДАНИЯ ЕРМЕКОВНА",
        "20.07.2017",
        referral.application.filed_by.profile.full_name,
        kindergarten.name_kk,
        kindergarten.name_ru,
        kindergarten.address_kk,
        "Солнце",
        "ЖОЛДАМА",
        "НАПРАВЛЕНИЕ",
        "26.06.2019 16:20",
        "медициналық анықтамасы",
        "медицинскую справку",
        "Құжаттармен келіп, соңғы күннің аяғына дейін шартқа қол қойыңыз.",
        "Придите с документами и подпишите договор до конца последнего дня.",
        "10 жұмыс күніне тоқтатым-параққа",
        "в стоп-лист на 10 рабочих дней",
        "30 күнтізбелік күнге дейін",
        "не более чем на 30 календарных дней",
        "8 (727) 339-72-22",
    ):
        assert words in text


def test_the_last_day_stands_with_its_weekday_in_both_languages(referral):
    text = text_of(referral)
    assert "Жарамды, соңғы күні: 03.07.2019 сәрсенбі" in text
    assert "Действительно, последний день: 03.07.2019 среда" in text


def test_an_extended_referral_shows_the_new_day_and_that_it_was_extended(scene, referral):
    extending.extend_referral(
        referral,
        actor=scene.parent,
        until=date(2019, 8, 2),
        reason="illness",
        documents=[("anyktama.pdf", ContentFile(b"%PDF-", name="anyktama.pdf"))],
        now=scene.now + timedelta(days=1),
    )
    text = text_of(Referral.objects.get(pk=referral.pk))
    assert "02.08.2019 жұма" in text
    assert "03.07.2019" not in text
    assert "Жолдама бір рет ұзартылды: 27.06.2019" in text
    assert "Направление уже продлено один раз: 27.06.2019" in text


def test_every_kazakh_letter_can_be_read_and_copied(referral):
    letters = KAZAKH_LETTERS + KAZAKH_LETTERS.upper()
    child = referral.application.child
    child.last_name = letters
    child.save()
    assert letters in text_of(referral)


def test_all_text_is_in_the_embedded_font(referral):
    """Nothing falls back to a font of the machine: what is embedded is our face, subset by HarfBuzz."""
    assert weasyprint.pdf.fonts.harfbuzz_subset is not None
    child = referral.application.child
    child.last_name = KAZAKH_LETTERS + KAZAKH_LETTERS.upper() + "№₸"
    child.save()
    pdf = render(referral)
    fonts = {str(font["/BaseFont"]) for font in read(pdf).pages[0]["/Resources"]["/Font"].values()}
    assert fonts
    assert all("Referral" in name for name in fonts)
    assert len(pdf) < 60_000


def test_no_iin_is_on_the_page(referral):
    child, profile = referral.application.child, referral.application.filed_by.profile
    text = text_of(referral)
    assert child.iin not in text
    assert profile.iin
    assert profile.iin not in text


def test_title_and_language_are_in_the_metadata(referral):
    reader = read(render(referral))
    assert reader.metadata.title == f"Жолдама № {referral.number} / Направление № {referral.number}"
    assert reader.trailer["/Root"]["/Lang"] == "kk"


def tags_in(node):
    """Every structure element below `node`, in reading order."""
    for one in node if isinstance(node, pikepdf.Array) else [node]:
        if isinstance(one, pikepdf.Dictionary):
            if "/S" in one:
                yield one
            if "/K" in one:
                yield from tags_in(one.K)


def test_who_hears_it_read_is_told_what_is_what(referral, settings):
    settings.SITE_URL = "https://bala.example.kz"
    with pikepdf.open(io.BytesIO(render(referral))) as pdf:
        assert pdf.open_metadata()["pdfuaid:part"] == "1"
        assert pdf.Root.ViewerPreferences.DisplayDocTitle
        tags = list(tags_in(pdf.Root.StructTreeRoot.K))
        names = [str(tag.S) for tag in tags]
        # Two languages beside each other are no table; what is one names the head of each row.
        assert names.count("/H1") == 2
        assert names.count("/Table") == 1
        assert names.count("/TR") == names.count("/TH") == names.count("/TD") == 8
        assert all("/Headers" in tag.A for tag in tags if tag.S == "/TD")
        [figure] = [tag for tag in tags if tag.S == "/Figure"]
        assert "bala.example.kz/v/" in str(figure.Alt)


def test_the_same_data_makes_the_same_bytes_in_every_language_of_the_caller(referral):
    with translation.override("ru"):
        in_russian = render(referral)
    with translation.override("kk"):
        in_kazakh = render(Referral.objects.get(pk=referral.pk))
    assert in_russian == in_kazakh


def with_the_longest_names(referral, separator):
    def long(length: int) -> str:
        return (f"Ұзынатау{separator}" * length)[: length - 1] + "Щ"

    child, profile = referral.application.child, referral.application.filed_by.profile
    group = referral.bid.vacancy.group
    kindergarten = group.kindergarten
    for person in (child, profile):
        person.last_name, person.first_name, person.middle_name = long(100), long(100), long(100)
        person.save()
    kindergarten.name_kk = kindergarten.name_ru = kindergarten.address_kk = kindergarten.address_ru = long(
        200
    )
    kindergarten.name_ru = long(199)
    kindergarten.save()
    group.name = long(80)
    group.save()
    return Referral.objects.get(pk=referral.pk)


@pytest.mark.parametrize("separator", [" ", ""], ids=["words", "one long word"])
def test_the_longest_names_stay_on_one_page(referral, separator):
    text = text_of(with_the_longest_names(referral, separator))
    assert "8 (727) 339-72-22" in text


def test_what_would_fit_on_no_single_page_goes_on_over_the_next(referral, monkeypatch):
    monkeypatch.setattr(paper, "DENSITIES", paper.DENSITIES[:1])
    pages = read(render(with_the_longest_names(referral, " "))).pages
    assert len(pages) == 2
    assert "8 (727) 339-72-22" in pages[1].extract_text()


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/x.png",
        "file:///etc/passwd",
        f"{FONT_FOLDER.as_uri()}/../../secret",
        "data:text/plain,x",
    ],
)
def test_nothing_but_our_own_faces_is_opened(url):
    with pytest.raises(ValueError, match="may not load"):
        OwnFilesOnly().fetch(url)


def test_the_sheet_stays_small():
    assert SHEET.read_text(encoding="utf-8").count("{") <= 27


def test_names_are_text_and_never_markup(referral):
    child = referral.application.child
    child.first_name = "<img src=https://example.com/x.png>"
    child.save()
    assert "<img src=https://example.com/x.png>" in text_of(referral)


@pytest.fixture
def mother(scene):
    """Added the child after the father had filed the application."""
    return GuardianshipFactory(
        child=scene.application.child,
        user__profile__last_name="КАМЕНОВА",
        user__profile__first_name="САУЛЕ",
        user__profile__middle_name="НҰРЛАНҚЫЗЫ",
    ).user


class TestApplicant:
    """Among several guardians the paper names the one who asked for the place, while they are one."""

    FATHER, MOTHER = "КАМЕНОВ ЕРМЕК АХМЕТОВИЧ", "КАМЕНОВА САУЛЕ НҰРЛАНҚЫЗЫ"

    def referral_for(self, scene, asker):
        bid = place_bid(scene.application, scene.vacancy, actor=asker, now=scene.now)
        return issuing.activate_bid(bid, actor=scene.staff, now=scene.now)

    def end(self, scene, user):
        scene.application.child.guardianships.filter(user=user).update(ended_at=scene.now)

    def test_the_one_who_asked_is_named_and_not_the_one_who_filed(self, scene, mother):
        text = text_of(self.referral_for(scene, mother))
        assert self.MOTHER in text
        assert self.FATHER not in text

    def test_the_one_who_filed_is_named_if_they_asked(self, scene, mother):
        text = text_of(self.referral_for(scene, scene.parent))
        assert self.FATHER in text
        assert self.MOTHER not in text

    def test_a_former_guardian_is_not_named(self, scene, mother):
        referral = self.referral_for(scene, mother)
        self.end(scene, mother)
        text = text_of(referral)
        assert self.FATHER in text
        assert self.MOTHER not in text

    def test_nobody_left_is_nobody_named(self, scene):
        referral = self.referral_for(scene, scene.parent)
        self.end(scene, scene.parent)
        assert applicants.applicant_of(referral) is None
        assert self.FATHER not in text_of(referral)


class TestCheck:
    """How a stranger to the family checks the paper."""

    def test_the_code_stands_on_it_and_stays_when_the_paper_is_made_anew(self, referral):
        code = grouped(code_of(referral))
        assert code in text_of(referral)
        assert code in text_of(Referral.objects.get())

    def test_with_the_portals_name_it_has_a_picture_of_the_address(self, referral, settings):
        def drawn() -> int:
            return int(read(render(referral)).pages[0].get_contents().get_data().count(b" m\n"))

        without = drawn()
        settings.SITE_URL = "https://bala.example.kz"
        assert f"bala.example.kz/v/, коды / код: {grouped(code_of(referral))}" in text_of(referral)
        picture = segno.make(address_of(code_of(referral)), error="m", micro=False)
        # One square for each dark module.
        assert drawn() - without >= sum(map(sum, picture.matrix))
