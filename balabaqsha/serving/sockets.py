"""Kernel options for the connections of this process."""

import os
import socket
from collections.abc import Iterator
from typing import Final

# How long a reader that reads nothing, or has vanished, keeps its connection and its answer.
SILENT_SECONDS: Final = 30


def end_silent_connections() -> None:
    """Let the kernel end connections whose peer takes nothing of what it is sent, or has vanished.

    The web server limits how long it waits to read, but not how long it waits for a reader. Connections inherit the
    options of the socket that accepts them; those made before the call have none. Does nothing if the kernel has no
    such option.
    """
    if not hasattr(socket, "TCP_USER_TIMEOUT"):
        return
    for listening in _listening():
        with listening:
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 1000 * SILENT_SECONDS)
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, SILENT_SECONDS)
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, SILENT_SECONDS)
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)


def _listening() -> Iterator[socket.socket]:
    """The TCP sockets on which this process listens, each as a descriptor of its own."""
    for name in os.listdir("/proc/self/fd"):
        try:
            found = socket.socket(fileno=os.dup(int(name)))
        except OSError:
            continue
        if (
            found.family in {socket.AF_INET, socket.AF_INET6}
            and found.type == socket.SOCK_STREAM
            and found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
        ):
            yield found
        else:
            found.close()
