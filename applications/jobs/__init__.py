"""Work that is due with time: expiry, ends of stops, awards, interest, school age, reminders, papers.

Every job is idempotent and handles one object per transaction: a failure is logged, is tried again at the next run,
and holds up nothing else. Tasks and management commands call the same functions.
"""
