"""A former queue comes in, from the file in an official's hands to the parent who claims a place in it."""

import csv
import re
from datetime import date
from io import StringIO
from time import monotonic

import pytest
from django.core.management import call_command
from django.urls import reverse
from playwright.sync_api import expect

from accounts.roles import Role
from applications.models import Application, FormerLine, FormerProtocol
from balabaqsha.demo.former_queue import COLUMNS, rows_of
from balabaqsha.roles import set_up_roles
from bulletin.models import ImportBatch
from tests.browser.desk import Desk
from tests.browser.walk import DAUGHTER, FATHER, PHONE, Family
from tests.factories import LocalityFactory
from tests.patience import PATIENCE
from tests.staff import employee
from tests.thorough import whole_way

pytestmark = pytest.mark.browser

WHY = "Қағаз журнал бойынша тексерілді"
# Five of each fault, so that their counts may be told.
BAD = 5


def rows_of_the_file(place):
    """Forty children, among them the manual's, whose date was mistyped as one of the future, as four others' were."""
    plain = {"benefit": "", "benefit_until": "", "state": "waiting", "until": ""}
    rows = [row | plain for row in rows_of(40, places=[place.slug], benefits=[], today=date(2019, 6, 26))]
    for row in rows[1 : 1 + BAD]:
        row["filed_at"] = "01.01.2031"
    for row in rows[10 : 10 + BAD]:
        row["state"] = "left"
    rows[1] |= {
        "old_number": "2018-KAMENOVA",
        "child_iin": DAUGHTER,
        "birth_date": "20.07.2017",
        "last_name": "КАМЕНОВА",
        "first_name": "ДАНИЯ",
        "guardian_iin": FATHER,
        "phone": PHONE,
    }
    return rows


def as_csv(rows):
    text = StringIO()
    table = csv.DictWriter(text, COLUMNS, delimiter=";")
    table.writeheader()
    table.writerows(rows)
    return text.getvalue().encode()


def press_until(button, seen):
    """Look again until a worker is through; a busy machine's gets its minute."""
    give_up = monotonic() + PATIENCE
    while not seen.count():
        assert monotonic() < give_up
        button.first.click()


@whole_way
def test_from_the_file_to_the_claimed_place(open_context, live_server, worker, summer_2019):
    call_command("load_holidays", first_year=2019, last_year=2020, verbosity=0)
    set_up_roles()
    place = LocalityFactory()
    people = [employee(Role.OFFICIAL) for _ in range(2)]
    first, second = (Desk(open_context(), language="kk", portal=live_server.url, user=one) for one in people)

    # The file, with bad rows, is checked and loaded without them.
    first.open(reverse("admin:city_kind", args=["queue"]))
    content = as_csv(rows_of_the_file(place))
    first.page.locator("input[type=file]").set_input_files(
        {"name": "кезек.csv", "mimeType": "text/csv", "buffer": content}
    )
    first.page.locator("#content form button[type=submit]").click()
    again, load = first.button("Look again"), first.button("Load the good rows, leave the bad ones out")
    press_until(again, load)
    load.click()
    press_until(again, first.button("Reconciliation"))

    # Sums that close, and what is to be decided.
    first.button("Reconciliation").click()
    batch = ImportBatch.objects.get()
    here = reverse("admin:reconciliation", args=[batch.pk])
    assert batch.left_out == 2 * BAD
    assert first.page.evaluate("document.documentElement.scrollWidth") <= 1280
    first.page.set_viewport_size({"width": 360, "height": 740})
    assert first.page.evaluate("document.documentElement.scrollWidth") <= 360
    first.page.set_viewport_size({"width": 1280, "height": 800})
    first.button("Decide about them").click()
    first.page.locator("#result_list tbody a").first.click()

    # One after another: dates that were mistyped are corrected, who had left is left out.
    for turn in range(2 * BAD):
        line = FormerLine.objects.get(pk=re.search(r"formerline/(\d+)/", first.page.url)[1])
        if line.problem == "left":
            first.button("Leave out for good").click()
        else:
            first.button("Take in with corrected values").click()
            first.page.locator("[name=filed_at]").fill(f"0{turn % 9 + 1}.03.2018 10:00")
        first.page.locator("[name=reason]").fill(WHY)
        first.page.locator("#content form .works button").first.click()

    # Two signatures.
    first.open(here)
    first.button("Sign first").click()
    protocol = FormerProtocol.objects.get()
    second.start()
    second.link("applications/formerprotocol/?waits=you").click()
    second.page.locator("#result_list tbody a").first.click()
    second.button("Sign").click()
    second.button("Sign").click()
    protocol.refresh_from_db()
    assert protocol.decided_by == people[1]

    # Everybody reads the counts; nobody reads a number or a name.
    public = open_context(viewport={"width": 360, "height": 740}).new_page()
    public.goto("/queue/")
    public.locator("main a[href='/queue/former/']").click()
    expect(public.locator("main")).to_contain_text("40")
    text = public.locator("main").inner_text()
    assert "KAMENOVA" not in text
    assert "КАМЕНОВА" not in text
    assert public.evaluate("document.documentElement.scrollWidth") <= 360

    # The official finds the number of the child whose date was corrected; her father reads the same once he claims.
    first.open(f"{here}?number=2018-kamenova")
    row = first.page.locator("#content table").last.locator("tbody tr")
    expect(row).to_have_count(1)
    number = row.locator("td").nth(2).inner_text().strip()
    family = Family(open_context().new_page(), "kk")
    family.register()
    family.open("/cabinet/children/")
    family.press("add_child")
    family.fill(iin=DAUGHTER)
    family.press("check_iin")
    family.page.wait_for_url("**/cabinet/children/add/check/")
    family.press("save")
    family.page.wait_for_url(re.compile(r"/cabinet/children/[0-9a-f-]{36}/claim/"))
    family.sees("2018-KAMENOVA", number)
    family.page.locator("main form button").first.click()
    family.page.wait_for_url(re.compile(r"/cabinet/applications/[0-9a-f-]{36}/"))
    application = Application.objects.get(former__old_number="2018-KAMENOVA")
    assert application.is_claimed
    told = re.findall(r"\d+", family.page.locator(".big-number").first.inner_text())
    assert told[0] == number
