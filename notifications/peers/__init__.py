"""Calls to other services, such as the person registry and the SMS gateways: all of them go out by `post`."""

from notifications.peers.calls import NotAsked, Unavailable, post
from notifications.peers.wire import Answer

__all__ = ["Answer", "NotAsked", "Unavailable", "post"]
