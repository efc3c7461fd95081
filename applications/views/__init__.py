"""Families' own pages, and the public pages that involve applications."""
