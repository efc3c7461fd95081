"""Families' own pages, for signed-in guardians."""
