"""What a kindergarten tells of itself and its photos: sent by its employees, public once an official decided."""

import io
from html import unescape

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models.fields.files import FieldFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from accounts.models import AuditEntry
from applications.admin.work import page_of
from applications.decisions import profiles
from applications.models import ProfileProposal
from applications.refusals import Refusal
from applications.states import ProposalState
from bulletin.models import Kindergarten, KindergartenProfile, Photo
from bulletin.photos import MOST_PHOTOS, moderate_photo, take_down_photo
from notifications.models import Notice
from tests.factories import KindergartenFactory, LocalityFactory, PhotoFactory
from tests.staff import inside, official_of, worker_of

pytestmark = pytest.mark.django_db

PROPOSE = reverse("admin:applications_profileproposal_add")
SEND = reverse("admin:bulletin_photo_send")
TOLD = {
    "about_kk": "Ауласы жасыл",
    "about_ru": "Зелёный двор",
    "day_begins": "08:00",
    "day_ends": "18:30",
    "fee": "45000",
    "payer": "family",
    "licence": "№ KZ12LAA00024137",
}


@pytest.fixture
def amina() -> Kindergarten:
    return KindergartenFactory.create(slug="amina")


@pytest.fixture
def worker(amina: Kindergarten) -> Client:
    return inside(worker_of(amina))


@pytest.fixture
def official(amina: Kindergarten) -> Client:
    return inside(official_of(amina.locality))


def proposed(client: Client, kindergarten: Kindergarten, **changes: object):
    """The form as a browser sends it back: with the mark that it was filled with."""
    form = client.get(f"{PROPOSE}?kindergarten={kindergarten.pk}").context["adminform"].form
    data = {"kindergarten": kindergarten.pk, "seen": form["seen"].value(), **TOLD, **changes}
    return client.post(PROPOSE, data)


def decide(client: Client, proposal: ProfileProposal, work: str, **data: str):
    address = reverse("admin:applications_profileproposal_work", args=[proposal.pk, work])
    seen = client.get(address).context["form"].initial
    return client.post(address, {**seen, **data})


# --- what it tells -----------------------------------------------------------------------------------------------


def test_nothing_is_public_before_an_official_confirmed_it(client, amina, worker, official) -> None:
    assert proposed(worker, amina).status_code == 302
    assert "Зелёный двор" not in client.get("/ru/kindergartens/amina/").content.decode()
    proposal = ProfileProposal.objects.get()
    decide(official, proposal, "approve")
    page = client.get("/ru/kindergartens/amina/").content.decode()
    assert "Зелёный двор" in page
    assert "08:00–18:30" in page
    actions = set(AuditEntry.objects.values_list("action", flat=True))
    assert {"page_proposed", "page_confirmed"} <= actions


def test_what_is_declined_stays_unsaid_with_a_reason_and_another_may_be_proposed(
    client, amina, worker, official
) -> None:
    proposed(worker, amina)
    proposal = ProfileProposal.objects.get()
    decide(official, proposal, "decline", reason="Төлемді нақтылаңыз, өтінеміз")
    proposal.refresh_from_db()
    assert proposal.state == ProposalState.DECLINED
    assert not KindergartenProfile.objects.exists()
    assert proposed(worker, amina).status_code == 302


def test_an_officials_own_is_public_at_once(amina, official) -> None:
    proposed(official, amina)
    assert KindergartenProfile.objects.get().fee == 45_000
    assert ProfileProposal.objects.get().state == ProposalState.APPROVED


def test_the_form_holds_what_is_public_and_refuses_what_changes_nothing(amina, official) -> None:
    proposed(official, amina)
    form = official.get(f"{PROPOSE}?kindergarten={amina.pk}").context["adminform"].form
    assert form["licence"].value() == TOLD["licence"]
    again = proposed(official, amina)
    assert again.status_code == 200
    assert ProfileProposal.objects.count() == 1


def waiting(kindergarten: Kindergarten) -> ProfileProposal:
    return kindergarten.profile_proposals.get(state=ProposalState.PROPOSED)


def test_a_waiting_proposal_is_told_of_and_a_changed_one_takes_its_place(amina, worker, official) -> None:
    proposed(worker, amina)
    first = waiting(amina)
    page = worker.get(reverse("admin:bulletin_kindergarten_change", args=[amina.pk])).content.decode()
    assert page_of(first) in page
    assert page.index(page_of(first)) < page.index(PROPOSE)
    read = reverse("admin:applications_profileproposal_work", args=[first.pk, "approve"])
    seen = official.get(read).context["form"].initial
    form = worker.get(PROPOSE)
    assert form.context["adminform"].form["fee"].value() == 45_000
    assert "Растауға жіберу" in form.content.decode()
    assert proposed(worker, amina, instead_of=first.pk, fee="50000").status_code == 302
    second = waiting(amina)
    first.refresh_from_db()
    assert (first.state, second.fee) == (ProposalState.WITHDRAWN, 50_000)
    answer = official.post(read, seen, follow=True).content.decode()
    assert str(Refusal.PROPOSAL_WITHDRAWN.label) in unescape(answer)
    assert page_of(second) in answer
    assert not KindergartenProfile.objects.exists()


def test_who_loses_to_a_colleague_reads_so_and_loses_nothing(amina, worker) -> None:
    proposed(worker, amina)
    answer = proposed(inside(worker_of(amina)), amina, instead_of="", fee="50000")
    assert str(Refusal.COLLEAGUE_PROPOSED.label) in answer.content.decode()
    assert "50000 → 45000" in answer.content.decode()
    form = answer.context["adminform"].form
    assert (form["fee"].value(), form["instead_of"].value()) == ("50000", str(waiting(amina).pk))
    assert waiting(amina).fee == 45_000
    again = {name: form[name].value() or "" for name in form.fields}
    assert worker.post(PROPOSE, again).status_code == 302
    assert waiting(amina).fee == 50_000


def test_the_loser_between_check_and_save_reads_it_in_the_form(amina, worker, monkeypatch) -> None:
    proposed(worker, amina)
    first = waiting(amina)
    with_one, asked = profiles.waiting_of, []

    def blind_once(kindergarten: Kindergarten) -> ProfileProposal | None:
        asked.append(kindergarten)
        return with_one(kindergarten) if len(asked) > 1 else None

    monkeypatch.setattr(profiles, "waiting_of", blind_once)
    answer = worker.post(PROPOSE, {"kindergarten": amina.pk, **TOLD, "fee": "50000"})
    assert str(Refusal.COLLEAGUE_PROPOSED.label) in answer.content.decode()
    assert ProfileProposal.objects.get() == first


def test_a_kindergarten_withdraws_what_waits(amina, worker) -> None:
    proposed(worker, amina)
    proposal = waiting(amina)
    decide(worker, proposal, "withdraw")
    proposal.refresh_from_db()
    assert proposal.state == ProposalState.WITHDRAWN
    assert "page_withdrawn" in set(AuditEntry.objects.values_list("action", flat=True))
    stale = {"kindergarten": amina.pk, **TOLD, "instead_of": proposal.pk}
    assert worker.post(PROPOSE, stale).status_code == 200


def test_an_official_confirms_with_changes_and_the_kindergarten_reads_which(amina, worker, official) -> None:
    proposed(worker, amina)
    first = waiting(amina)
    assert f"{PROPOSE}?kindergarten={amina.pk}" in official.get(page_of(first)).content.decode()
    assert "/withdraw/" not in official.get(page_of(first)).content.decode()
    assert proposed(official, amina, instead_of=first.pk, fee="44000").status_code == 302
    assert KindergartenProfile.objects.get().fee == 44_000
    assert "с изменениями" in Notice.objects.get(kind="staff_page_confirmed").text_ru
    confirmed = ProfileProposal.objects.get(state=ProposalState.APPROVED)
    assert "45000 → 44000" in worker.get(page_of(confirmed)).content.decode()


def test_what_somebody_changed_meanwhile_is_neither_overwritten_nor_confirmed(
    amina, worker, official
) -> None:
    stale = worker.get(f"{PROPOSE}?kindergarten={amina.pk}").context["adminform"].form["seen"].value()
    proposed(worker, amina)
    waiting = ProfileProposal.objects.get()
    read = reverse("admin:applications_profileproposal_work", args=[waiting.pk, "approve"])
    seen = official.get(read).context["form"].initial
    KindergartenProfile.objects.create(kindergarten=amina, confirmed_at=waiting.proposed_at, licence="№ 2")
    official.post(read, seen)
    assert KindergartenProfile.objects.get().licence == "№ 2"
    ProfileProposal.objects.all().delete()
    assert proposed(worker, amina, seen=stale).status_code == 200
    assert not ProfileProposal.objects.exists()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"about_ru": ""}, "about_ru"),
        ({"about_kk": ""}, "about_kk"),
        ({"day_ends": ""}, "__all__"),
        ({"day_ends": "07:00"}, "__all__"),
        ({"fee": ""}, "__all__"),
        ({"fee": "1000001"}, "fee"),
        ({"fee": "-1"}, "fee"),
        ({"about_ru": "Звоните: +7 701 234 98 76"}, "about_ru"),
    ],
    ids=str,
)
def test_a_half_told_page_is_explained_at_its_field(amina, worker, changes, field) -> None:
    answer = proposed(worker, amina, **changes)
    assert field in answer.context["errors"].data or field in answer.context["adminform"].form.errors
    assert not ProfileProposal.objects.exists()


def test_a_refused_text_is_told_of_once(amina, worker) -> None:
    form = proposed(worker, amina, about_kk="а" * 1501).context["adminform"].form
    assert [len(said) for said in form.errors.values()] == [1]


def test_employees_read_what_their_page_lacks(amina, worker) -> None:
    page = worker.get(reverse("admin:bulletin_kindergarten_change", args=[amina.pk]))
    told = page.context["completeness"]
    assert (told.told, told.asked) == (2, 10)
    assert "2 / 10" in page.content.decode()


def test_nobody_proposes_for_a_foreign_kindergarten(amina, worker) -> None:
    other = KindergartenFactory.create(locality=LocalityFactory(slug="kentau", name_kk="Кентау"))
    assert worker.get(f"{PROPOSE}?kindergarten={other.pk}").context["adminform"].form.initial == {}
    worker.post(PROPOSE, {"kindergarten": other.pk, **TOLD})
    assert not ProfileProposal.objects.exists()
    for key in ("x", "99999999999", "-1", "%00", "²"):
        assert worker.get(f"{PROPOSE}?kindergarten={key}").status_code == 200


# --- photos ------------------------------------------------------------------------------------------------------


def opened(file: FieldFile) -> Image.Image:
    with file.open() as stored:
        return Image.open(io.BytesIO(stored.read()))


def a_photo(size: tuple[int, int] = (2000, 1500)) -> SimpleUploadedFile:
    """As a telephone writes it: with the place where it was taken."""
    exif = Image.Exif()
    exif.get_ifd(0x8825)[1] = "N"
    stream = io.BytesIO()
    Image.new("RGB", size, "#8fc98a").save(stream, "JPEG", exif=exif)
    return SimpleUploadedFile("IMG_0001.jpg", stream.getvalue(), content_type="image/jpeg")


def sent(client: Client, to: Kindergarten, **changes: object):
    data = {
        "kindergarten": to.pk,
        "photo": a_photo(),
        "caption_kk": "Аула",
        "caption_ru": "Двор",
        "children": "nobody",
        **changes,
    }
    return client.post(SEND, {name: value for name, value in data.items() if value is not None})


def test_a_photo_is_redrawn_in_two_sizes_without_its_place_and_waits(client, amina, worker) -> None:
    assert sent(worker, amina).status_code == 302
    photo = Photo.objects.get()
    assert (photo.state, photo.width, photo.height) == (Photo.State.PENDING, 1600, 1200)
    with opened(photo.image) as large, opened(photo.thumbnail) as small:
        assert (large.size, small.size) == ((1600, 1200), (480, 360))
        assert not large.getexif()
        assert not small.getexif()
    assert client.get(f"/kindergarten-photos/{photo.pk}/small/").status_code == 404
    shown = worker.get(reverse("admin:bulletin_photo_file", args=[photo.pk]))
    assert shown["Content-Type"] == "image/jpeg"


@pytest.mark.parametrize(
    "changes",
    [
        {"children": None},
        {"photo": None},
        {"photo": SimpleUploadedFile("a.jpg", b"MZ")},
        {"caption_ru": ""},
        {"caption_kk": "+7 701 234 98 76"},
        {"kindergarten": "0"},
    ],
    ids=["nothing said of children", "no file", "no picture", "one language", "a number", "no kindergarten"],
)
def test_what_is_wrong_with_a_photo_is_said_and_nothing_kept(amina, worker, changes) -> None:
    answer = sent(worker, amina, **changes)
    assert answer.status_code == 200
    assert answer.context["errors"]
    assert not Photo.objects.exists()


@pytest.mark.parametrize(
    ("size", "said"),
    [((480, 319), "480 × 319"), ((3000, 700), "4 есе")],
    ids=["too small", "a strip"],
)
def test_what_families_could_not_look_at_is_refused(amina, worker, size, said) -> None:
    refused = sent(worker, amina, photo=a_photo(size)).context["errors"]["photo"]
    assert said in str(refused)
    assert sent(worker, amina, photo=a_photo((1280, 320))).status_code == 302


def test_the_official_reads_what_the_kindergarten_answers_for(amina, worker, official) -> None:
    assert sent(worker, amina, children="consent").status_code == 302
    photo = Photo.objects.get()
    assert photo.children == Photo.Children.CONSENT
    told = photo.get_children_display()
    for page in (page_of(photo), reverse("admin:bulletin_photo_work", args=[photo.pk, "publish"])):
        assert str(told) in unescape(official.get(page).content.decode())


def test_no_more_than_a_page_holds(amina, worker) -> None:
    for number in range(MOST_PHOTOS):
        PhotoFactory(kindergarten=amina, state=Photo.State.PUBLISHED if number else Photo.State.PENDING)
    assert sent(worker, amina).status_code == 200
    Photo.objects.filter(state=Photo.State.PENDING).update(
        state=Photo.State.REJECTED, decided_by=Photo.objects.first().sent_by
    )
    assert sent(worker, amina).status_code == 302


def press(client: Client, photo: Photo, work: str, **data: str):
    address = reverse("admin:bulletin_photo_work", args=[photo.pk, work])
    page = client.get(address)
    if page.status_code != 200:
        return page
    return client.post(address, {**page.context["form"].initial, **data})


def test_an_official_publishes_and_the_kindergarten_takes_down(client, amina, worker, official) -> None:
    photo = PhotoFactory(kindergarten=amina)
    public = f"/kindergarten-photos/{photo.pk}/"
    assert press(worker, photo, "publish").status_code == 403
    press(official, photo, "publish")
    assert client.get(public).status_code == 200
    press(official, photo, "withdraw", reason="Балалардың беті анық көрінеді")
    assert client.get(public).status_code == 404
    photo.refresh_from_db()
    assert (photo.state, photo.decision_reason) == (Photo.State.REJECTED, "Балалардың беті анық көрінеді")
    press(official, photo, "publish")
    assert client.get(public).status_code == 200
    press(worker, photo, "take-down", reason="Отбасы келісімін қайтарып алды")
    assert client.get(public).status_code == 404
    actions = AuditEntry.objects.filter(action__startswith="photo_").values_list("action", flat=True)
    assert sorted(actions) == ["photo_published", "photo_published", "photo_refused", "photo_taken_down"]


def test_the_kindergarten_reads_what_became_of_it(amina, worker, official) -> None:
    """In its messages and on its start page, each with its reason and the way to it; the photo says who and why."""
    proposed(worker, amina)
    proposal = ProfileProposal.objects.get()
    decide(official, proposal, "decline", reason="Төлемді нақтылаңыз, өтінеміз")
    photo = PhotoFactory(kindergarten=amina)
    press(official, photo, "publish")
    press(official, photo, "withdraw", reason="Балалардың беті анық көрінеді")
    for address in ("admin:index", "admin:inbox"):
        page = unescape(worker.get(reverse(address)).content.decode())
        assert "Төлемді нақтылаңыз" in page
        assert page_of(proposal) in page
        assert "Балалардың беті анық көрінеді" in page
        assert f"«{photo.caption_kk}»" in page
        assert page_of(photo) in page
    # What is read is no news any more.
    assert "Төлемді нақтылаңыз" not in worker.get(reverse("admin:index")).content.decode()
    photo.refresh_from_db()
    said = unescape(worker.get(page_of(photo)).content.decode())
    assert f"{photo.decided_by}, " in said
    assert not Notice.objects.filter(recipient=photo.decided_by).exists()


@pytest.mark.parametrize("state", ["pending", "published", "rejected"])
def test_what_a_kindergarten_took_down_is_published_by_nobody_again(amina, official, state) -> None:
    photo = PhotoFactory(kindergarten=amina, state=state)
    employee = worker_of(amina)
    take_down_photo(photo, actor=employee, reason="Отбасы келісімін қайтарып алды", now=timezone.now())
    photo.refresh_from_db()
    assert (photo.state, photo.decided_by) == (Photo.State.TAKEN_DOWN, employee)
    assert photo.decision_reason == "Отбасы келісімін қайтарып алды"
    page = official.get(page_of(photo)).content.decode()
    assert not any(f"/{work}/" in page for work in ("publish", "decline", "withdraw", "take-down"))
    press(official, photo, "publish")
    with pytest.raises(ValidationError):
        moderate_photo(photo, actor=official_of(amina.locality), publish=True, now=timezone.now())
    photo.refresh_from_db()
    assert photo.state == Photo.State.TAKEN_DOWN


def test_a_photo_of_others_is_not_found(amina) -> None:
    photo = PhotoFactory(kindergarten=amina)
    other = KindergartenFactory.create()
    stranger = inside(worker_of(other))
    assert stranger.get(reverse("admin:bulletin_photo_file", args=[photo.pk])).status_code == 404
    assert press(stranger, photo, "take-down").status_code == 404
    assert sent(stranger, amina).status_code == 200
    assert Photo.objects.count() == 1
