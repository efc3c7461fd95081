"""A family as employees find it, and what its card tells: the same as the family's own pages tell."""
