"""The workplace's half of a former queue: the reconciliation, decisions one by one, the protocol."""

import json
import re
from datetime import timedelta
from io import BytesIO

import pytest
from django.core.cache import cache
from django.urls import reverse
from openpyxl import load_workbook

from accounts.roles import Role
from applications.admin.work import page_of
from applications.city.deciding import decision_about, leave_out, take_in
from applications.city.protocols import propose_protocol, sign_protocol, sums_in
from applications.city.reconciling import Outcome, Reason, reconcile
from applications.city.sums import sums_of
from applications.files import making
from applications.models import Application, FormerDecision, FormerLine, FormerProtocol, MadeFile
from applications.states import LineDecision, ProposalState
from bulletin.models import ImportBatch
from tests.applications.city.test_deciding import WHY, city, official, second  # noqa: F401 - fixtures
from tests.applications.city.test_queue_file import about, file_of, load  # noqa: F401 - fixtures
from tests.applications.conftest import NOW
from tests.factories import LocalityFactory, left_out
from tests.staff import employee, inside, official_of, press

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "scene_once")]


@pytest.fixture(autouse=True)
def _nothing_remembered():
    cache.clear()


def reconciliation(batch, **asked):
    return reverse("admin:reconciliation", args=[batch.pk], query=asked or None)


def work(line, name):
    return reverse("admin:applications_formerline_work", args=[line.pk, name])


class TestThePage:
    def test_the_sums_close_and_every_line_is_there(self, city, official):  # noqa: F811
        batch, late, _twice = city
        page = inside(official).get(reconciliation(batch))
        told = {one["outcome"]: one["count"] for one in page.context["sums"]}
        assert page.context["lines"] == sum(told.values()) == 10
        assert told[Outcome.LEFT_OUT] == page.context["undecided"] == 2
        assert len(page.context["rows"]) == 10
        text = page.content.decode()
        assert json.loads(late.cells)["old_number"] in text
        assert json.loads(late.cells)["last_name"] not in text
        assert json.loads(late.cells)["child_iin"] not in text

    def test_lines_are_found_by_outcome_reason_locality_and_number(self, city, official, scene):  # noqa: F811
        batch, late, twice = city
        desk = inside(official)
        number = json.loads(late.cells)["old_number"]
        taken = Application.objects.exclude(former=None).first().former
        asked = [
            ({"outcome": "left_out"}, {late.line, twice.line}),
            ({"reason": Reason.WRONG_DATE.value, "outcome": "left_out"}, {late.line}),
            ({"locality": scene.locality.pk}, set(range(2, 12))),
            ({"number": number.lower().replace("-", " ")}, {late.line}),
            ({"number": taken.old_number}, {taken.line}),
            ({"number": "2099-1"}, set()),
            ({"outcome": "nonsense", "page": "x"}, set(range(2, 12))),
        ]
        for query, lines in asked:
            page = desk.get(reconciliation(batch, **query))
            assert {row.line for row in page.context["rows"]} == lines, query

    def test_a_line_leads_to_the_family_or_to_its_decision(self, city, official):  # noqa: F811
        batch, late, _twice = city
        text = inside(official).get(reconciliation(batch)).content.decode()
        child = Application.objects.exclude(former=None).first().child
        assert reverse("admin:family_of_child", args=[child.pk]) in text
        assert page_of(late) in text

    def test_a_decision_is_seen_at_once(self, city, official):  # noqa: F811
        batch, late, _twice = city
        desk = inside(official)
        desk.get(reconciliation(batch))
        take_in(late, values={"filed_at": "05.03.2018"}, reason=WHY, actor=official, now=NOW)
        page = desk.get(reconciliation(batch))
        assert {one["outcome"]: one["count"] for one in page.context["sums"]}[Outcome.LEFT_OUT] == 1

    def test_a_worker_makes_the_whole_as_a_spreadsheet(self, city, official):  # noqa: F811
        batch, late, _twice = city
        desk = inside(official)
        desk.post(reconciliation(batch))
        assert making.make_due(now=NOW) == 1
        file = MadeFile.objects.get()
        sheet = load_workbook(BytesIO(desk.get(reverse("admin:made_file", args=[file.pk])).content)).active
        rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
        lines = [row for row in rows if isinstance(row[0], int)]
        assert [row[0] for row in lines] == list(range(2, 12))
        assert json.loads(late.cells)["old_number"] in [row[1] for row in lines]
        assert (file.done, file.total) == (10, 10)

    def test_only_own_localities(self, city, official, scene, load, about):  # noqa: F811
        batch, late, twice = city
        other = LocalityFactory(slug="aqtau")
        FormerLine.objects.filter(pk=late.pk).update(locality=other)
        FormerLine.objects.filter(pk=twice.pk).update(locality=None)
        ours = inside(official_of(scene.locality))
        page = ours.get(reconciliation(batch))
        assert {row.line for row in page.context["rows"]} == set(range(2, 12)) - {late.line, twice.line}
        assert not page.context["may_propose"]
        assert ours.get(page_of(late)).status_code == 404
        assert (
            inside(official_of(LocalityFactory(slug="atyrau"))).get(reconciliation(batch)).status_code == 404
        )
        both = inside(official_of(scene.locality, other)).get(reconciliation(batch))
        assert len(both.context["rows"]) == 10

    def test_who_may(self, city):  # noqa: F811
        batch, *_lines = city
        for role in Role:
            status = 200 if role == Role.OFFICIAL else 403
            assert inside(employee(role)).get(reconciliation(batch)).status_code == status, role

    def test_the_newest_file_is_opened(self, city, official):  # noqa: F811
        batch, *_lines = city
        desk = inside(official)
        assert desk.get(reverse("admin:reconciliations"))["Location"] == reconciliation(batch)
        ImportBatch.objects.update(undone_at=NOW)
        assert desk.get(reverse("admin:reconciliations"))["Location"] == reverse(
            "admin:city_kind", args=["queue"]
        )
        assert desk.get(reconciliation(batch)).status_code == 200


class TestDecisions:
    def test_wrong_cells_are_corrected_and_checked_again(self, city, official):  # noqa: F811
        _batch, late, _twice = city
        desk = inside(official)
        page = desk.get(work(late, "take-in"))
        assert set(page.context["form"].fields) == {"filed_at", "birth_date", "reason", "line"}
        again = press(
            desk,
            work(late, "take-in"),
            {"filed_at": "05.03.2031", "birth_date": json.loads(late.cells)["birth_date"], "reason": WHY},
        )
        assert "filed_at" in again.context["form"].errors
        birth_date = json.loads(late.cells)["birth_date"]
        values = {"filed_at": "05.03.2018", "birth_date": birth_date, "reason": WHY}
        assert press(desk, work(late, "take-in"), values)["Location"] == page_of(late)
        assert decision_about(late).kind == LineDecision.TAKEN_IN
        history = reverse("admin:applications_formerline_history", args=[late.pk])
        for address in (page_of(late), history):
            assert "01.01.2031 → 05.03.2018" in desk.get(address).content.decode()

    def test_what_is_secret_is_masked_where_it_was_corrected(self, city, official):  # noqa: F811
        _batch, late, _twice = city
        values = {"filed_at": "05.03.2018", "phone": "+7 701 000 11 22", "last_name": "Сейтқали"}
        take_in(late, values=values, reason=WHY, actor=official, now=NOW)
        history = reverse("admin:applications_formerline_history", args=[late.pk])
        for address in (page_of(late), history):
            text = inside(official).get(address).content.decode()
            assert "01.01.2031 → 05.03.2018" in text
            assert not re.search(r"000.?11.?22", text)
        assert "Сейтқали" not in text

    def test_a_fault_behind_the_first_one_gets_a_field(self, load, about, official):  # noqa: F811
        from tests.applications.city.test_queue_file import one_row

        load(
            [one_row(about, old_number="A"), one_row(about, filed_at="01.01.2031", until="x" * 10)],
            skip_bad=True,
        )
        line = FormerLine.objects.exclude(problem="").get()
        desk = inside(official)
        page = press(desk, work(line, "take-in"), {"filed_at": "05.03.2018", "reason": WHY})
        assert page.context["form"].errors

    def test_a_secret_cell_is_typed_anew(self, load, about, official):  # noqa: F811
        from balabaqsha.demo.former_queue import rows_of

        first, other = rows_of(2, **about)
        iin = other["child_iin"]
        plain = {"benefit": "", "benefit_until": "", "state": "waiting", "until": ""}
        load([first | plain, other | plain | {"child_iin": iin[:11]}], skip_bad=True)
        line = FormerLine.objects.exclude(problem="").get()
        desk = inside(official)
        text = desk.get(work(line, "take-in")).content.decode()
        assert iin[:11] not in text
        answer = press(
            desk, work(line, "take-in"), {"child_iin": iin, "birth_date": other["birth_date"], "reason": WHY}
        )
        assert answer.status_code == 302
        line.refresh_from_db()
        assert line.application.child.iin == iin

    def test_the_same_child_as_an_application_here(self, city, official):  # noqa: F811
        _batch, _late, twice = city
        mine = Application.objects.exclude(former=None).first()
        desk = inside(official)
        wrong = press(desk, work(twice, "link"), {"number": "19-999999", "reason": WHY})
        assert wrong.context["form"].errors
        press(desk, work(twice, "link"), {"number": mine.number, "reason": WHY})
        assert decision_about(twice).application == mine
        assert mine.number in desk.get(page_of(twice)).content.decode()

    def test_one_after_another(self, city, official):  # noqa: F811
        _batch, late, twice = city
        desk = inside(official)
        assert desk.get(page_of(late)).context["to_come"] == {"url": page_of(twice), "left": 1}
        answer = desk.post(work(late, "leave-out"), {"next": "1", "reason": WHY})
        assert answer["Location"] == page_of(twice)
        assert desk.get(page_of(twice)).context["to_come"] is None
        assert (
            desk.get(reverse("admin:applications_formerline_changelist"), {"decision": "open"})
            .context["cl"]
            .result_count
            == 1
        )

    def test_the_lines_of_one_file_alone(self, city, official, scene):  # noqa: F811
        batch, late, twice = city
        elsewhere = left_out(scene.locality)
        elsewhere.batch = ImportBatch.objects.create(kind="queue", file_name="newer.csv", loaded_at=NOW)
        elsewhere.save()
        desk, listing = inside(official), reverse("admin:applications_formerline_changelist")
        found = desk.get(listing, {"decision": "open"}).context["cl"]
        assert found.result_count == 3
        assert (
            f"{listing}?decision=open&amp;file={batch.pk}" in desk.get(reconciliation(batch)).content.decode()
        )
        found = desk.get(listing, {"decision": "open", "file": batch.pk}).context["cl"]
        assert set(found.queryset) == {late, twice}
        for nonsense in ("x", "9" * 30):
            assert desk.get(listing, {"file": nonsense}).status_code in (200, 302)
        assert desk.get(page_of(late)).context["to_come"]["left"] == 1
        assert desk.get(page_of(elsewhere)).context["to_come"] is None

    def test_a_decision_is_taken_back_with_a_reason(self, city, official, second):  # noqa: F811
        _batch, late, _twice = city
        leave_out(late, reason=WHY, actor=official, now=NOW)
        desk = inside(second)
        assert desk.get(work(late, "leave-out"))["Location"] == page_of(late)
        press(desk, work(late, "take-back"), {"reason": WHY})
        assert decision_about(late) is None
        told = desk.get(reverse("admin:applications_formerline_history", args=[late.pk])).content.decode()
        assert told.count(WHY) == 2

    def test_many_with_one_reason(self, city, official):  # noqa: F811
        _batch, late, twice = city
        chosen = {"action": "leave_out_selected", "_selected_action": [late.pk, twice.pk], "confirmed": "yes"}
        inside(official).post(reverse("admin:applications_formerline_changelist"), chosen | {"reason": WHY})
        assert set(FormerDecision.objects.values_list("kind", "reason")) == {(LineDecision.LEFT_OUT, WHY)}
        assert FormerDecision.objects.count() == 2

    def test_a_number_is_found_in_the_list(self, city, official):  # noqa: F811
        _batch, late, _twice = city
        desk, listing = inside(official), reverse("admin:applications_formerline_changelist")
        number = json.loads(late.cells)["old_number"]
        assert desk.get(listing, {"q": number}).context["cl"].result_count == 1
        assert desk.get(listing, {"q": json.loads(late.cells)["last_name"]}).context["cl"].result_count == 0

    def test_once_it_is_erased_nothing_is_told(self, city, official):  # noqa: F811
        _batch, late, _twice = city
        FormerLine.objects.update(cells="")
        desk = inside(official)
        assert desk.get(page_of(late)).status_code == 200
        assert desk.get(work(late, "take-in"))["Location"] == page_of(late)
        press(desk, work(late, "leave-out"), {"reason": WHY})
        assert decision_about(late).kind == LineDecision.LEFT_OUT


class TestProtocol:
    def test_two_officials_sign_it_and_it_is_printed(self, city, official, second):  # noqa: F811
        batch, late, twice = city
        first, other = inside(official), inside(second)
        propose = reverse("admin:propose_protocol", args=[batch.pk])
        assert not first.get(reconciliation(batch)).context["may_propose"]
        first.post(propose)
        assert not FormerProtocol.objects.exists()
        for line in (late, twice):
            leave_out(line, reason=WHY, actor=official, now=NOW)
        assert first.get(reconciliation(batch)).context["may_propose"]
        protocol_page = first.post(propose)["Location"]
        protocol = FormerProtocol.objects.get()
        assert protocol_page == page_of(protocol)
        sign = reverse("admin:applications_formerprotocol_work", args=[protocol.pk, "approve"])
        press(first, sign)
        protocol.refresh_from_db()
        assert protocol.state == ProposalState.PROPOSED
        assert other.get(reverse("admin:index")).context["today"].protocols == 1
        assert first.get(reverse("admin:index")).context["today"].protocols == 0
        shown = {row["label"]: row["value"] for row in other.get(sign).context["rows"]}
        assert [shown[outcome.label] for outcome in Outcome] == [
            sums_of(reconcile(batch, now=NOW)).outcomes[outcome] for outcome in Outcome
        ]
        press(other, sign)
        protocol.refresh_from_db()
        assert (protocol.state, protocol.decided_by) == (ProposalState.APPROVED, second)
        printed = first.get(reverse("admin:former_protocol", args=[protocol.pk]))
        assert printed.context["lines"] == sums_in(protocol).lines == 10
        assert batch.sha256 in printed.content.decode()
        assert printed.context["decisions"] == [(LineDecision.LEFT_OUT.label, 2)]
        assert first.get(reverse("admin:former_protocol", args=[protocol.pk + 1])).status_code == 404

    def test_a_later_decision_needs_a_new_one_and_undoing_marks_it(self, city, official, second):  # noqa: F811
        batch, late, twice = city
        for line in (late, twice):
            leave_out(line, reason=WHY, actor=official, now=NOW)
        protocol = propose_protocol(batch, actor=official, now=NOW)
        sign_protocol(protocol, actor=second, now=NOW)
        desk = inside(official)
        assert not desk.get(reconciliation(batch)).context["is_outdated"]
        later = NOW + timedelta(minutes=1)
        take_in(late, values={"filed_at": "05.03.2018"}, reason=WHY, actor=official, now=later)
        page = desk.get(reconciliation(batch))
        assert page.context["is_outdated"]
        assert page.context["may_propose"]
        ImportBatch.objects.update(undone_at=NOW)
        for address in (page_of(protocol), reverse("admin:former_protocol", args=[protocol.pk])):
            assert desk.get(address).status_code == 200
