"""Whether a city is ready to open: what is there, what is missing, and what nobody can know yet."""
