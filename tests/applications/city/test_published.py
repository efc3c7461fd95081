"""What everybody reads of a former queue: nobody can work out a small count, whatever they know of the rule."""

from collections import Counter
from itertools import product

import pytest
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from applications.city.deciding import leave_out
from applications.city.protocols import propose_protocol, sign_protocol
from applications.city.published import hidden_beside, published, tellable
from applications.city.reconciling import Outcome, Reason
from applications.city.sums import Part, Sums
from applications.models import FormerProtocol
from applications.queue.small_groups import FEW
from bulletin.models import ImportBatch
from tests.applications.city.test_deciding import WHY, city, official, second  # noqa: F401 - fixtures
from tests.applications.city.test_queue_file import about, load  # noqa: F401 - fixtures
from tests.applications.conftest import NOW
from tests.factories import LocalityFactory

KEYS = ("a", "b", "c")


@given(st.lists(st.integers(0, 16), min_size=3, max_size=3))
def test_nobody_can_work_out_a_small_count(values):
    """Whoever knows the rule, the sum and what is told finds at least two values for each small count."""
    counts = dict(zip(KEYS, values, strict=True))
    hidden, total = hidden_beside(counts), sum(values)
    told = {key: count for key, count in counts.items() if key not in hidden}
    assert all(count == 0 or count >= FEW for count in told.values())
    if not any(told.values()):
        # Then not even the sum is told.
        return
    possible = [
        found
        for found in (dict(zip(KEYS, drawn, strict=True)) for drawn in product(range(total + 1), repeat=3))
        if sum(found.values()) == total
        and hidden_beside(found) == hidden
        and all(found[key] == count for key, count in told.items())
    ]
    assert counts in possible
    for key in hidden:
        if counts[key] < FEW:
            assert len({found[key] for found in possible}) > 1, (counts, hidden)


@given(
    st.dictionaries(
        st.integers(1, 6), st.dictionaries(st.sampled_from(KEYS), st.integers(1, 20), min_size=1).map(Counter)
    )
)
def test_neither_a_row_nor_the_rest_of_them_is_small(rows):
    shown, rest = tellable(rows)
    assert sum((rows[key] for key in shown), Counter()) + rest == sum(rows.values(), Counter()) or not shown
    for counts in [*(rows[key] for key in shown), *([rest] if shown else [])]:
        assert not any(0 < count < FEW for count in counts.values())


def sums(**places):
    """Sums of localities by their keys: how many lines kept their place, were moved, left, and were left out."""
    parts: Counter[Part] = Counter()
    for place, counts in places.items():
        for outcome, count in zip(Outcome, counts, strict=True):
            reason = {Outcome.AWAY: Reason.STOPPED, Outcome.LEFT_OUT: Reason.DUPLICATE}.get(outcome)
            if count:
                parts[Part(int(place[1:]), outcome, reason)] = count
    return Sums(parts)


def test_large_counts_are_told_of_each_locality():
    told = published(sums(p1=(50, 20, 10, 6), p2=(40, 0, 5, 5)))
    assert told.city.lines == 136
    assert told.city.outcomes == {Outcome.SAME: 90, Outcome.MOVED: 20, Outcome.AWAY: 15, Outcome.LEFT_OUT: 11}
    assert {place: one.lines for place, one in told.localities.items()} == {1: 86, 2: 50}
    assert told.localities[1].reasons[Outcome.LEFT_OUT] == {Reason.DUPLICATE: 6}
    assert told.others is None


def test_a_locality_with_a_small_count_is_told_with_another():
    told = published(sums(p1=(50, 20, 10, 6), p2=(40, 0, 5, 5), p3=(30, 0, 0, 2)))
    assert list(told.localities) == [1]
    assert told.others.outcomes[Outcome.LEFT_OUT] == 7


def test_where_a_count_of_the_city_is_small_no_locality_is_told():
    told = published(sums(p1=(500, 200, 60, 1), p2=(400, 0, 50, 1)))
    assert told.city.outcomes == {
        Outcome.SAME: 900,
        Outcome.MOVED: 200,
        Outcome.AWAY: None,
        Outcome.LEFT_OUT: None,
    }
    assert not told.localities
    assert Outcome.LEFT_OUT not in told.city.reasons


def test_of_a_tiny_file_nothing_is_told():
    told = published(sums(p1=(4, 3, 0, 0)))
    assert (told.city.lines, set(told.city.outcomes.values())) == (None, {None})


@pytest.mark.django_db
class TestThePage:
    PAGE = "applications:former_queue"

    @pytest.fixture
    def signed(self, city, official, second):  # noqa: F811
        batch, late, twice = city
        for line in (late, twice):
            leave_out(line, reason=WHY, actor=official, now=NOW)
        protocol = propose_protocol(batch, actor=official, now=NOW)
        return sign_protocol(protocol, actor=second, now=NOW)

    def test_nothing_before_a_protocol_is_signed(self, client, city):  # noqa: F811
        page = client.get(reverse(self.PAGE))
        assert page.status_code == 200
        assert page.context["files"] == []
        assert reverse(self.PAGE) not in client.get(reverse("applications:queue")).content.decode()

    def test_the_counts_once_it_is_and_no_small_ones(self, client, signed):
        large = sums(p1=(50, 20, 10, 6)).as_json()
        large["parts"][0]["locality"] = None
        FormerProtocol.objects.filter(pk=signed.pk).update(sums=large)
        page = client.get(reverse(self.PAGE))
        assert page.context["files"][0]["lines"] == "86"
        assert reverse(self.PAGE) in client.get(reverse("applications:queue")).content.decode()
        text = page.content.decode()
        assert signed.batch.file_name not in text
        assert str(signed.decided_by) not in text

    def test_localities_are_in_their_order_and_called_as_they_are(self, client, signed):
        names = {2: "с. Карашик", 1: "г. Абай"}
        keys = {
            place: LocalityFactory.create(slug=f"place-{place}", name_ru=name, order=order).pk
            for order, (place, name) in enumerate(names.items(), start=100)
        }
        large = sums(p1=(50, 20, 10, 6), p2=(30, 20, 10, 6)).as_json()
        for one in (*large["parts"], *large["moved_by"]):
            one["locality"] = keys[one["locality"]]
        FormerProtocol.objects.filter(pk=signed.pk).update(sums=large)
        page = client.get(f"/ru{reverse(self.PAGE)}")
        assert [row["name"] for row in page.context["files"][0]["places"]] == list(names.values())
        assert "Г. Абай" not in page.content.decode()

    def test_not_of_a_file_that_was_undone_nor_of_one_that_another_protocol_replaced(self, client, signed):
        ImportBatch.objects.update(undone_at=NOW)
        assert client.get(reverse(self.PAGE)).context["files"] == []
