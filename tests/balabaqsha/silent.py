"""Servers that are there and say nothing, or next to nothing."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from types import SimpleNamespace


@contextmanager
def silent_server(*, drips: bytes = b"", every: float = 0.05) -> Iterator[SimpleNamespace]:
    """A server on this machine that takes connections and sends `drips`, byte by byte, over and over, or nothing.

    Holds its `port`, and the `connections` that it took so far.
    """
    server = SimpleNamespace(port=0, connections=[])
    over = Event()

    def drip(connection: socket.socket) -> None:
        while drips:
            for at in range(len(drips)):
                if over.wait(every):
                    return
                try:
                    connection.sendall(drips[at : at + 1])
                except OSError:
                    return

    def accept(listener: socket.socket) -> None:
        while True:
            try:
                connection, _address = listener.accept()
            except OSError:
                return
            server.connections.append(connection)
            Thread(target=drip, args=[connection], daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server.port = listener.getsockname()[1]
        thread = Thread(target=accept, args=[listener], daemon=True)
        thread.start()
        try:
            yield server
        finally:
            over.set()
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
            for connection in server.connections:
                connection.close()


def at_port(port: int) -> SimpleNamespace:
    """What stands for Django's connection where the database is looked for at this port."""
    params = {"host": "127.0.0.1", "port": port, "dbname": "secret_name", "user": "secret_user"}
    return SimpleNamespace(get_connection_params=lambda: params)
