"""Why a server can't be used."""


class EmbeddedError(Exception):
    """A server can't be used; the message says why and what to do next."""
