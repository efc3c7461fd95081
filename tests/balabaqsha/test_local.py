"""Keys of a checkout."""

import base64
import stat

from balabaqsha import local


def test_keys_are_made_once_kept_and_private(tmp_path):
    first = local.environment(checkout=tmp_path, environ={})
    assert first == local.environment(checkout=tmp_path, environ={})
    assert stat.S_IMODE((tmp_path / "var" / "secret.json").stat().st_mode) == 0o600
    assert len(base64.urlsafe_b64decode(first["IIN_KEYS"])) == 32
    assert first["BALABAQSHA_DEMO"] == "1"


def test_two_checkouts_have_different_keys(tmp_path):
    keys = [local.checkout_keys(tmp_path / name / "secret.json") for name in ("a", "b")]
    assert not set(keys[0].values()) & set(keys[1].values())


def test_what_is_given_wins(tmp_path):
    given = {"SECRET_KEY": "mine", "BALABAQSHA_DEMO": "0", "HOME": "/root"}
    assert given.items() <= local.environment(checkout=tmp_path, environ=given).items()
