"""A photo that is too large to be sent is made smaller by the browser; without its help the portal says what to do."""

import io
import os

import pytest
from django.conf import settings
from PIL import Image

from accounts.models import Profile
from tests.browser.session import enter
from tests.factories import UserFactory

pytestmark = pytest.mark.browser

PROFILE = "/cabinet/profile/"


@pytest.fixture(scope="module")
def photo() -> bytes:
    """Wider than high, as a camera holds it that was turned; more than may be sent."""
    noise = Image.frombytes("RGB", (2800, 2100), os.urandom(2800 * 2100 * 3))
    noise.paste("red", (0, 0, 1400, 2100))
    exif = Image.Exif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    noise.save(buffer, "JPEG", quality=100, exif=exif)
    assert buffer.tell() > settings.UPLOAD_MAX_BYTES
    return buffer.getvalue()


def send(context, photo: bytes, live_server) -> tuple[str, Profile]:
    user = UserFactory.create()
    enter(context, user, portal=live_server.url)
    page = context.new_page()
    page.goto(PROFILE)
    form = page.locator("form[enctype]")
    form.locator("input[type=file]").set_input_files(
        {"name": "IMG_1.JPG", "mimeType": "image/jpeg", "buffer": photo}
    )
    # Pressed at once, while the photo is still being made smaller.
    with page.expect_navigation():
        form.locator("button").click()
    return page.locator("main").inner_text(), Profile.objects.get(user=user)


def test_it_is_made_smaller_and_stays_upright(open_context, photo, live_server, transactional_db):
    _said, profile = send(open_context(), photo, live_server)
    with profile.photo.open() as file:
        kept = Image.open(file)
        assert kept.height > kept.width
        top, bottom = (kept.getpixel((kept.width // 2, kept.height * share // 4)) for share in (1, 3))
    assert isinstance(top, tuple)
    assert top[0] > 200
    assert max(top[1:]) < 60
    assert bottom != top


def test_without_a_script_the_portal_says_what_to_do(open_context, photo, live_server, transactional_db):
    said, profile = send(open_context(java_script_enabled=False), photo, live_server)
    assert not profile.photo
    assert "Файл тым үлкен" in said
