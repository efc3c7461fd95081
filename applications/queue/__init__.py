"""The queue: its order, the exact number in it, why that number changed, and corrections by official decision."""
