"""Which part of the portal is alive, which is late, and what is delayed by it."""
