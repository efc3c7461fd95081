"""The order of a queue, as arithmetic: extraordinary children first, then priority and general ones in turn. Pure."""

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import TypeVar

from applications.states import Tier

T = TypeVar("T")


def ahead_by_tier(
    tier: Tier, *, ahead_in_tier: int, totals: Mapping[Tier, int], general_per_priority: int
) -> dict[Tier, int]:
    """How many of each tier stand before a place of `tier` that has `ahead_in_tier` of its own before it. Pure."""
    ahead = dict.fromkeys(Tier, 0)
    ahead[tier] = ahead_in_tier
    if tier != Tier.EXTRAORDINARY:
        ahead[Tier.EXTRAORDINARY] = totals[Tier.EXTRAORDINARY]
    if tier == Tier.PRIORITY:
        ahead[Tier.GENERAL] = min(totals[Tier.GENERAL], ahead_in_tier * general_per_priority)
    if tier == Tier.GENERAL:
        ahead[Tier.PRIORITY] = min(totals[Tier.PRIORITY], ahead_in_tier // general_per_priority + 1)
    return ahead


def head_by_tier(size: int, *, totals: Mapping[Tier, int], general_per_priority: int) -> dict[Tier, int]:
    """How many of each tier are among the first `size` of a queue with these totals. Pure."""
    extraordinary = min(size, totals[Tier.EXTRAORDINARY])
    rest = size - extraordinary
    rounds, left = divmod(rest, general_per_priority + 1)
    priority = min(totals[Tier.PRIORITY], rounds + (left > 0))
    general = min(totals[Tier.GENERAL], rest - priority)
    # Once the general children run out, priority children close up.
    priority = min(totals[Tier.PRIORITY], rest - general)
    return {Tier.EXTRAORDINARY: extraordinary, Tier.PRIORITY: priority, Tier.GENERAL: general}


def interleave(tiers: Mapping[Tier, Iterable[T]], *, general_per_priority: int) -> list[T]:
    """The whole order, one by one: the definition against which the fast computations are tested. Pure."""
    priority, general = iter(tiers[Tier.PRIORITY]), iter(tiers[Tier.GENERAL])
    order = list(tiers[Tier.EXTRAORDINARY])
    for one in priority:
        order.append(one)
        turn = list(islice(general, general_per_priority))
        order += turn
        if len(turn) < general_per_priority:
            break
    return [*order, *priority, *general]
