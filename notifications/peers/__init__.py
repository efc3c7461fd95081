"""Calls to other services, such as the person registry and the SMS gateways. All of them use `post`, or `get`."""

from notifications.peers.calls import NotAsked, Unavailable, get, post
from notifications.peers.wire import Answer, Papers, tls_context

__all__ = ["Answer", "NotAsked", "Papers", "Unavailable", "get", "post", "tls_context"]
