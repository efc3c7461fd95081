"""Benefits that move a child forward: their categories, and the claims of families."""
