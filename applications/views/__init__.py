"""The pages of a family's way, and the public pages that know of applications."""
