"""The work that time brings: expiry, end of stops, awards, interest, school age, reminders, papers.

Every job is idempotent and handles one object per transaction: what fails is reported in the log and tried again at
the next run, and holds up nothing else. Tasks and management commands call the same functions.
"""
