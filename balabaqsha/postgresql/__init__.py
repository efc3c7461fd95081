"""Django's PostgreSQL backend, which checks kept connections at most once a second."""
