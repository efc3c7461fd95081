"""The only ways to an application: a family's own, and anybody's by its number. What ran out is ended first."""
