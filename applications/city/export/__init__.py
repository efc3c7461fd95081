"""The whole city at once: everything for a successor system, and back into an empty portal."""
