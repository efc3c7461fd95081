"""The staff's side of applications: read-only pages with buttons. Every button calls a transition."""

from applications.admin import (  # noqa: F401  (they register themselves)
    assisted,
    audits,
    benefits,
    bids,
    closings,
    corrections,
    disputes,
    employees,
    groups,
    guardian_claims,
    history,
    holidays,
    numbers,
    objections,
    pauses,
    referrals,
    registering,
    rules,
    undoing,
    vacancies,
)
