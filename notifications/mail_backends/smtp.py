"""Django's own way to a mail server, with one deadline over the whole conversation.

`EMAIL_TIMEOUT` bounds one wait: a server that sends a byte now and then could hold a worker as long as it likes. When
`MAIL_SECONDS` are over the connection is cut, whatever it is doing.
"""

import contextlib
import smtplib
import socket
import threading
from typing import Any

from django.conf import settings
from django.core.mail.backends import smtp

from notifications.peers.wire import Deadline


class EmailBackend(smtp.EmailBackend):
    """Raises `OSError` or `smtplib.SMTPException`, both also for a conversation that took too long."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._deadline = Deadline(settings.MAIL_SECONDS)
        self._under_way: smtplib.SMTP | None = None
        self._watch: threading.Timer | None = None

    @property
    def connection_class(self) -> type[smtplib.SMTP]:
        """Django's choice, which tells this object about itself before it connects, and goes by the deadline."""
        backend, chosen = self, smtplib.SMTP_SSL if self.use_ssl else smtplib.SMTP

        class Punctual(chosen):  # type: ignore[valid-type,misc]
            def connect(self, *args: Any, **options: Any) -> Any:
                backend._under_way = self
                return super().connect(*args, **options)

            def getreply(self) -> Any:
                # While TLS is agreed on there is no socket to cut.
                backend._deadline.left()
                return super().getreply()

        return Punctual

    def open(self) -> bool | None:
        """As Django's, and the clock runs from here."""
        if self.connection is None:
            self._deadline = Deadline(settings.MAIL_SECONDS)
            self._watch = threading.Timer(settings.MAIL_SECONDS, self._cut)
            self._watch.daemon = True
            self._watch.start()
        return super().open()

    def close(self) -> None:
        """As Django's; a conversation that is over is not cut."""
        try:
            super().close()
        except TimeoutError:
            # The last word came too late; what was taken is taken.
            pass
        finally:
            if self._watch is not None:
                self._watch.cancel()

    def _cut(self) -> None:
        sock = getattr(self._under_way, "sock", None)
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
