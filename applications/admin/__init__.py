"""The staff's side of applications: a viewer with buttons. Every button calls `transitions` or `publication`."""

from applications.admin import benefits, bids, history, referrals, rules, vacancies  # noqa: F401  (they register themselves)
