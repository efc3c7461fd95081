"""How long a family may wait: an interval, from how the city's queues have moved, and how often it held."""
