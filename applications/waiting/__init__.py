"""Waiting in the queue: filing, changes, confirming interest, and leaving by age."""
