"""Benefits that bring a child forward: their categories, and the families' claims."""
