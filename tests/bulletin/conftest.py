"""Hypothesis without its clock: a busy machine is no failure of a rule."""

from hypothesis import settings

settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")
