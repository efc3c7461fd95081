"""The queue: its order, the exact number in it, why that number moved, and corrections by official decision."""
