"""«Tell me when a place for my child appears»: what a family asked for, and telling it to all of them at once."""
