"""Calls to other services, such as the person registry and the SMS gateways. All of them use `post`."""

from notifications.peers.calls import NotAsked, Unavailable, post
from notifications.peers.wire import Answer

__all__ = ["Answer", "NotAsked", "Unavailable", "post"]
