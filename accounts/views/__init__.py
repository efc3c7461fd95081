"""The pages of registering, signing in, resetting a password, and of a parent's profile."""
