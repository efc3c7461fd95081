"""Django's PostgreSQL backend, with kept connections checked at most once a second."""
