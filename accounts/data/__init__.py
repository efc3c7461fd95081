"""What the portal holds about a person: leaving with it, taking a copy of it, being forgotten."""
