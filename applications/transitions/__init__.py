"""Every change of an application's state.

Nothing else changes it, but for placing a bid: `applications.bidding.step_by_step`, and the same in one statement of
the database, `applications.bidding.rush`.

Each function is one transaction: it locks the application (and after it the vacancy), checks the state as it is now,
changes it, writes the `Event`, puts the messages into the outbox and the action into the family's journal. What may
not be done raises `Refused`. Views, admin actions, tasks and commands all call these.
"""
