"""Which part of the portal is alive, which is late, and what waits because of it."""
