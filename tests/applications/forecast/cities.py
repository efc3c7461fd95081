"""Made-up cities: by how many numbers each of their queues moves month by month, with seasons, moods and chance."""

import math
import random

# Places come in summer, when the oldest leave for school.
SEASON = [0.5, 0.6, 0.6, 0.6, 0.9, 1.6, 2.2, 2.4, 1.2, 0.6, 0.5, 0.5]


def city(seed, *, months=84, queues=10, changes_at=None, to=1.0):
    """Queues of four to 150 moves a month; from the month `changes_at` on everything goes `to` times as fast."""
    chance = random.Random(seed)
    mood, moods = 0.0, []
    for month in range(months):
        mood = (mood + chance.gauss(0, 0.08)) * 0.97
        moods.append(math.exp(mood) * (to if changes_at is not None and month >= changes_at else 1))
    return [_queue(chance, moods) for _ in range(queues)]


def _queue(chance, moods):
    usual, own, series = math.exp(chance.uniform(math.log(4), math.log(150))), 0.0, []
    for month, mood in enumerate(moods):
        own = own * 0.95 + chance.gauss(0, 0.08)
        mean = usual * SEASON[month % 12] * mood * math.exp(own + chance.gauss(0, 0.35) - 0.35**2 / 2)
        came_back = chance.random() < 0.1
        series.append(max(0, round(chance.gauss(mean, math.sqrt(mean)))) - came_back)
    return series
