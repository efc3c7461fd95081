"""The quick computations of the queue's order against the order written out one by one."""

from hypothesis import given
from hypothesis import strategies as st

from applications.queue.order import ahead_by_tier, head_by_tier, interleave
from applications.states import Tier

sizes = st.fixed_dictionaries({tier: st.integers(0, 40) for tier in Tier})
ratios = st.integers(1, 6)


def written_out(totals, ratio):
    tiers = {tier: [(tier, index) for index in range(totals[tier])] for tier in Tier}
    return interleave(tiers, general_per_priority=ratio)


def test_one_priority_child_then_three_general_ones():
    order = written_out({Tier.EXTRAORDINARY: 1, Tier.PRIORITY: 2, Tier.GENERAL: 5}, 3)
    assert "".join(tier.name[0] for tier, _ in order) == "EPGGGPGG"


def test_general_children_close_up_when_no_priority_child_is_left():
    order = written_out({Tier.EXTRAORDINARY: 0, Tier.PRIORITY: 1, Tier.GENERAL: 5}, 3)
    assert "".join(tier.name[0] for tier, _ in order) == "PGGGGG"


@given(totals=sizes, ratio=ratios)
def test_every_number_is_the_one_of_the_written_order(totals, ratio):
    for number, (tier, index) in enumerate(written_out(totals, ratio)):
        ahead = ahead_by_tier(tier, ahead_in_tier=index, totals=totals, general_per_priority=ratio)
        assert sum(ahead.values()) == number


@given(totals=sizes, ratio=ratios, size=st.integers(0, 130))
def test_the_head_of_a_queue_is_the_beginning_of_the_written_order(totals, ratio, size):
    head = written_out(totals, ratio)[:size]
    counted = {tier: sum(1 for other, _ in head if other == tier) for tier in Tier}
    assert head_by_tier(size, totals=totals, general_per_priority=ratio) == counted
