"""The pages of a family's own way, for guardians who are signed in."""
