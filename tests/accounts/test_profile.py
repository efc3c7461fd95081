"""A parent's own pages: profile, photo, password, journal; nobody else's."""

import io
from datetime import UTC, datetime, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from accounts import audit
from accounts.journal_actions import Action
from accounts.masks import mask_iin
from accounts.models import AuditEntry
from applications.journal_actions import Action as ApplicationAction
from notifications.models import Message, Notice
from tests.factories import StaffFactory, UserFactory

RIGHT = "parent-pass-1"
PAGES = [
    "/cabinet/profile/",
    "/cabinet/profile/photo/",
    "/cabinet/profile/password/",
    "/cabinet/notifications/log/",
]
NOW = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)

pytestmark = pytest.mark.django_db


def jpeg(colour="red") -> SimpleUploadedFile:
    buffer = io.BytesIO()
    Image.new("RGB", (120, 90), colour).save(buffer, "JPEG")
    return SimpleUploadedFile("менің суретім.jpg", buffer.getvalue(), content_type="image/jpeg")


class TestWhoMayCome:
    @pytest.mark.parametrize("page", PAGES)
    def test_a_visitor_signs_in_first(self, client, page):
        assert client.get(page).url == f"/login/?next={page}"

    @pytest.mark.parametrize("page", PAGES[:-1])
    def test_a_visitor_sends_nothing(self, client, page):
        # The photo's form is on the profile; its own address shows the photo.
        form = page.replace("/photo/", "/")
        assert client.post(page, {}).url == f"/login/?next={form}"

    @pytest.mark.parametrize("page", PAGES)
    def test_an_employee_is_told_that_it_is_for_parents(self, client_of, page):
        answer = client_of(StaffFactory.create()).get(page)
        assert answer.status_code == 403
        assert "/admin/" in answer.content.decode()

    def test_a_blocked_parent(self, parent, parent_client):
        parent.is_active = False
        parent.save()
        assert parent_client.get("/cabinet/profile/").status_code == 302


class TestProfile:
    def test_what_the_registry_says_is_shown_and_masked(self, parent, parent_client):
        page = parent_client.get("/cabinet/profile/").content.decode()
        assert "КАМЕНОВ" in page
        assert "25.02.1994" in page
        assert parent.profile.iin not in page
        assert mask_iin(parent.profile.iin) in page

    def test_what_the_registry_says_cannot_be_changed(self, parent, parent_client):
        fields = {"last_name": "ЖАҢА", "iin": "940225300009", "language": "kk", "phone": "+77010000000"}
        parent_client.post("/cabinet/profile/", fields)
        before = parent.phone
        parent.refresh_from_db()
        assert parent.profile.last_name == "КАМЕНОВ"
        assert parent.phone == before

    def test_save(self, parent, parent_client):
        fields = {"address": " Абай к., 5 ", "language": "ru"}
        assert parent_client.post("/cabinet/profile/", fields).url == "/cabinet/profile/"
        parent.refresh_from_db()
        assert parent.profile.address == "Абай к., 5"
        assert parent.language == "ru"
        assert AuditEntry.objects.get().action == Action.PROFILE_CHANGED

    def test_everything_optional_may_be_emptied(self, parent, parent_client):
        parent_client.post("/cabinet/profile/", {"address": "x", "language": "kk"})
        parent_client.post("/cabinet/profile/", {"address": "", "language": "kk"})
        parent.profile.refresh_from_db()
        assert parent.profile.address == ""

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("address", "x" * 301), ("address", "\0"), ("language", "en"), ("language", ""),
        ],
    )  # fmt: skip
    def test_refused(self, parent, parent_client, field, value):
        fields = {"address": "", "language": "kk"} | {field: value}
        answer = parent_client.post("/cabinet/profile/", fields)
        assert answer.status_code == 200
        assert list(answer.context["form"].errors) == [field]

    def test_a_hostile_address_is_escaped(self, parent, parent_client):
        fields = {"address": '"><script>alert(1)</script>', "language": "kk"}
        parent_client.post("/cabinet/profile/", fields)
        assert "<script>alert" not in parent_client.get("/cabinet/profile/").content.decode()


class TestPhoto:
    def test_none_yet(self, parent_client):
        assert parent_client.get("/cabinet/profile/photo/").status_code == 404

    def test_upload_and_see(self, parent, parent_client):
        assert parent_client.post("/cabinet/profile/photo/", {"photo": jpeg()}).url == "/cabinet/profile/"
        answer = parent_client.get("/cabinet/profile/photo/")
        assert answer["Content-Type"] == "image/jpeg"
        assert "no-store" in answer["Cache-Control"]
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert Image.open(io.BytesIO(answer.content)).size == (120, 90)
        parent.profile.refresh_from_db()
        assert "менің" not in parent.profile.photo.name
        assert AuditEntry.objects.get().action == Action.PHOTO_CHANGED

    def test_everyone_sees_only_their_own(self, parent, parent_client, client_of):
        parent_client.post("/cabinet/profile/photo/", {"photo": jpeg()})
        assert client_of(UserFactory.create()).get("/cabinet/profile/photo/").status_code == 404

    def test_it_lies_at_no_public_address(self, parent, parent_client):
        parent_client.post("/cabinet/profile/photo/", {"photo": jpeg()})
        parent.profile.refresh_from_db()
        for address in (f"/media/{parent.profile.photo.name}", f"/{parent.profile.photo.name}"):
            assert parent_client.get(address).status_code == 404

    @pytest.mark.django_db(transaction=True)
    def test_the_former_one_is_deleted(self, parent, parent_client):
        parent_client.post("/cabinet/profile/photo/", {"photo": jpeg()})
        parent.profile.refresh_from_db()
        storage, former = parent.profile.photo.storage, parent.profile.photo.name
        parent_client.post("/cabinet/profile/photo/", {"photo": jpeg("blue")})
        parent.profile.refresh_from_db()
        assert not storage.exists(former)
        assert storage.exists(parent.profile.photo.name)

    @pytest.mark.parametrize("content", [b"not a photo", b"%PDF-1.7\n%%EOF", b"GIF89a", b"\xff\xd8\xff\xe0"])
    def test_a_photo_that_is_not_one(self, parent, parent_client, content):
        file = SimpleUploadedFile("photo.jpg", content, content_type="image/jpeg")
        answer = parent_client.post("/cabinet/profile/photo/", {"photo": file})
        assert answer.status_code == 200
        assert "photo" in answer.context["photo_form"].errors
        parent.profile.refresh_from_db()
        assert not parent.profile.photo

    def test_too_large(self, parent_client, settings):
        settings.UPLOAD_MAX_BYTES = 1000
        file = SimpleUploadedFile("photo.jpg", b"x" * 1001)
        answer = parent_client.post("/cabinet/profile/photo/", {"photo": file})
        assert "photo" in answer.context["photo_form"].errors

    @pytest.mark.parametrize("fields", [{}, {"photo": ""}, {"photo": "text"}])
    def test_nothing_chosen(self, parent_client, fields):
        answer = parent_client.post("/cabinet/profile/photo/", fields)
        assert "photo" in answer.context["photo_form"].errors

    def test_the_file_was_lost(self, parent, parent_client):
        parent_client.post("/cabinet/profile/photo/", {"photo": jpeg()})
        parent.profile.refresh_from_db()
        parent.profile.photo.storage.delete(parent.profile.photo.name)
        assert parent_client.get("/cabinet/profile/photo/").status_code == 404


class TestPassword:
    new = "жаңа құпия сөз"

    def change(self, client, old=RIGHT, password=None, repeated=None):
        password = password or self.new
        fields = {"old_password": old, "password": password, "repeated": repeated or password}
        return client.post("/cabinet/profile/password/", fields)

    def test_this_session_stays_and_the_others_end(self, parent, parent_client, client_of):
        other = client_of(parent)
        assert self.change(parent_client).url == "/cabinet/profile/"
        assert parent_client.get("/cabinet/profile/").status_code == 200
        assert other.get("/cabinet/profile/").status_code == 302
        parent.refresh_from_db()
        assert parent.check_password(self.new)

    def test_the_owner_is_told(self, parent, parent_client):
        self.change(parent_client)
        assert Notice.objects.get(recipient=parent).kind == "password_changed"
        assert Message.objects.get().kind == "password_changed"
        assert AuditEntry.objects.get().action == Action.PASSWORD_CHANGED

    def test_a_wrong_old_one(self, parent, parent_client):
        answer = self.change(parent_client, old="wrong")
        assert list(answer.context["form"].errors) == ["old_password"]
        parent.refresh_from_db()
        assert parent.check_password(RIGHT)

    def test_the_old_one_cannot_be_guessed_for_ever(self, parent, parent_client):
        for _ in range(5):
            self.change(parent_client, old="wrong")
        assert self.change(parent_client).status_code == 200
        parent.refresh_from_db()
        assert parent.check_password(RIGHT)

    def test_who_shares_no_session_keeps_nobody_from_changing_it(self, parent, parent_client, client_of):
        """On every page that asks for the password, by a session that was taken over and without the password."""
        thief = client_of(parent)
        pages = ["number/", "close/", "document/", "email/", "second-phone/"] * 2
        for page in pages:
            fields = {"phone": "+77017770001", "email": "a@b.kz", "password": "wrong", "number": "N12345678"}
            thief.post(f"/cabinet/profile/{page}", fields)
        assert self.change(thief).status_code == 200
        assert self.change(parent_client).url == "/cabinet/profile/"
        parent.refresh_from_db()
        assert parent.check_password(self.new)

    def test_only_who_knows_the_old_one_learns_why_a_new_one_is_refused(self, parent, parent_client):
        iin = parent.profile.iin
        asked = [self.change(parent_client, old="wrong", password=new) for new in (iin, self.new) * 3]
        told = [answer.context["form"].errors for answer in asked]
        assert {tuple(errors) for errors in told} == {("old_password",)}
        # The sixth was one too many, so the guesses were counted.
        assert told[5] != told[4]

    @pytest.mark.parametrize("text", ["a" * 7, "a" * 41, "12345678"])
    def test_the_rule_holds(self, parent_client, text):
        assert "password" in self.change(parent_client, password=text).context["form"].errors

    def test_different(self, parent_client):
        assert "repeated" in self.change(parent_client, repeated="another one").context["form"].errors


class TestJournal:
    def test_empty(self, parent_client):
        assert parent_client.get("/cabinet/notifications/log/").status_code == 200

    def test_by_whom(self, parent, parent_client):
        employee = StaffFactory.create(username="secret-name")
        guardian = UserFactory.create()
        for minutes, actor in enumerate([parent, employee, None, guardian]):
            moment = NOW + timedelta(minutes=minutes)
            audit.record(
                ApplicationAction.BID_PLACED,
                now=moment,
                actor=actor,
                subject=parent,
                target="Солнце",
                reason="себеп",
            )
        answer = parent_client.get("/cabinet/notifications/log/")
        actors = [row["actor"] for row in answer.context["rows"]]
        assert len(set(actors)) == 4
        page = answer.content.decode()
        assert "secret-name" not in page
        assert guardian.username not in page
        assert "Солнце" in page
        assert "22.11.2026" in page

    def test_only_ones_own(self, parent, parent_client):
        stranger = UserFactory.create()
        audit.record(Action.SIGNED_IN, now=NOW, actor=stranger, subject=stranger)
        assert parent_client.get("/cabinet/notifications/log/").context["rows"] == []

    def test_twenty_a_page_newest_first(self, parent, parent_client):
        for minutes in range(25):
            moment = NOW + timedelta(minutes=minutes)
            audit.record(Action.SIGNED_IN, now=moment, actor=parent, subject=parent)
        first = parent_client.get("/cabinet/notifications/log/").context["rows"]
        second = parent_client.get("/cabinet/notifications/log/", {"page": "2"}).context["rows"]
        assert (len(first), len(second)) == (20, 5)
        assert first[0]["entry"].at == NOW + timedelta(minutes=24)

    @pytest.mark.parametrize("page", ["0", "-1", "x", "999", ""])
    def test_a_strange_page_number(self, parent_client, page):
        assert parent_client.get("/cabinet/notifications/log/", {"page": page}).status_code == 200


class TestLanguage:
    def switch(self, client, path, *, came_from):
        return client.get(path, headers={"referer": f"http://testserver{came_from}"})

    def test_switching_on_a_page_is_remembered(self, parent, parent_client):
        self.switch(parent_client, "/ru/cabinet/profile/", came_from="/cabinet/profile/")
        parent.refresh_from_db()
        assert parent.language == "ru"
        self.switch(parent_client, "/cabinet/profile/", came_from="/ru/cabinet/profile/?x=1")
        parent.refresh_from_db()
        assert parent.language == "kk"

    @pytest.mark.parametrize("came_from", ["", "/cabinet/", "/ru/cabinet/profile/", "/nowhere/", "/%ff"])
    def test_opening_a_link_is_no_switch(self, parent, parent_client, came_from):
        self.switch(parent_client, "/ru/cabinet/profile/", came_from=came_from)
        parent.refresh_from_db()
        assert parent.language == "kk"

    def test_another_site_switches_nothing(self, parent, parent_client):
        parent_client.get(
            "/ru/cabinet/profile/", headers={"referer": "https://evil.example/cabinet/profile/"}
        )
        parent.refresh_from_db()
        assert parent.language == "kk"
