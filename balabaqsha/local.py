"""The environment of a portal on a developer's machine: demo mode, with keys made for this checkout only."""

import base64
import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path


def environment(*, checkout: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """`environ`, completed with what `balabaqsha.settings` needs on a developer's machine; given values win.

    The keys are made once and kept in `var/secret.json`, readable by their owner only, so that sessions and
    encrypted data outlive a restart.
    """
    defaults = {"DJANGO_SETTINGS_MODULE": "balabaqsha.settings", "BALABAQSHA_DEMO": "1"}
    return defaults | checkout_keys(checkout / "var" / "secret.json") | dict(environ)


def checkout_keys(path: Path) -> dict[str, str]:
    """SECRET_KEY, IIN_KEYS and IIN_HASH_KEY of a checkout; made on first use."""
    if not path.exists():
        keys = {
            "SECRET_KEY": secrets.token_urlsafe(50),
            "IIN_KEYS": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            "IIN_HASH_KEY": secrets.token_urlsafe(32),
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(".new")
        with open(fresh, "w", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            json.dump(keys, file, indent=1)
        fresh.rename(path)
    found: dict[str, str] = json.loads(path.read_text())
    return found
