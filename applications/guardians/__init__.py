"""Guardians whom papers prove: what a family hands in, and the two officials who decide."""
