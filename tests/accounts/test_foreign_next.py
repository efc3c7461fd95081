"""No page shows, or leads on to, an address that somebody else wrote into `next`."""

from urllib.parse import quote

import pytest
from django.urls import reverse

from accounts.roles import Role
from tests.staff import employee, inside
from tests.thorough import pairs

pytestmark = pytest.mark.django_db

FOREIGN = ["//evil.example/x", "https://evil.example/", "/\\evil.example", "\\\\evil.example", "evil.example"]
PAGES = [
    "accounts:login", "accounts:register", "accounts:reset", "accounts:stop", "accounts:profile", "accounts:policy",
    "accounts:password", "admin:login", "admin:index", "home", "applications:bulletin", "applications:queue_check",
    "bulletin:reviews", "applications:new", "children:add", "applications:cabinet",
]  # fmt: skip


@pytest.fixture(params=["visitor", "parent", "employee"])
def browser(request, client, parent, client_of):
    if request.param == "visitor":
        return client
    return client_of(parent) if request.param == "parent" else inside(employee(Role.OFFICIAL))


@pytest.mark.parametrize("method", ["get", "post"])
def test_of_no_page_that_has_one_and_of_none_that_has_not(browser, method):
    pages = [f"{prefix}{reverse(name)}" for prefix in ("", "/ru") for name in PAGES]
    for page, foreign in pairs(pages, FOREIGN):
        address = f"{page}?place=x&next={quote(foreign)}"
        answer = getattr(browser, method)(address, {"next": foreign} if method == "post" else None)
        assert b"evil.example" not in answer.content, address
        assert "evil.example" not in answer.headers.get("Location", ""), address


def test_one_of_ours_stays(client):
    page = client.get("/login/?next=/cabinet/applications/").content.decode()
    assert 'name="next" value="/cabinet/applications/"' in page
    # An address with a page of ours and a foreign one keeps neither.
    both = client.get("/login/?next=/cabinet/applications/&next=//evil.example")
    assert "cabinet/applications" not in both.content.decode()
