"""What becomes of applications when a family closes its account, takes a copy, or is forgotten."""
