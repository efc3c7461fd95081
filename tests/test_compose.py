"""docker-compose.yml: what every container keeps to, what reaches the world, and what is known in secret."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parent.parent
COMPOSE = (CHECKOUT / "docker-compose.yml").read_text()
DIGEST = "@sha256:" + 64 * "a"


def complaint(text: str, folder: Path) -> str:
    """What the schema of the house says of a compose file; empty if it is content."""
    written = folder / "docker-compose.yml"
    written.write_text(text)
    schema = str(CHECKOUT / "deploy" / "compose.schema.json")
    command = [sys.executable, "-m", "check_jsonschema", "--schemafile", schema, str(written)]
    done = subprocess.run(command, capture_output=True, text=True, env={"PATH": os.defpath})
    return done.stdout if done.returncode else ""


def test_every_container_is_hardened(tmp_path):
    assert complaint(COMPOSE, tmp_path) == ""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("  read_only: true\n", ""),
        ("  cap_drop: [ALL]\n", ""),
        ('["no-new-privileges:true"]', "[]"),
        ("  pids_limit: 200\n", ""),
        ("    user: redis\n", ""),
        ("    internal: true\n", ""),
        ("POSTGRES_PASSWORD_FILE: /run", "POSTGRES_PASSWORD: /run"),
        ("    image: redis:7-bookworm\n", '    image: redis:7-bookworm\n    ports: ["6379:6379"]\n'),
    ],
    ids=[
        "writable",
        "capabilities",
        "privileges",
        "processes",
        "root",
        "reaches out",
        "password",
        "open port",
    ],
)
def test_the_schema_finds_what_is_not(old, new, tmp_path):
    assert old in COMPOSE
    assert complaint(COMPOSE.replace(old, new), tmp_path)


def test_only_the_proxy_is_reached_from_outside():
    """Anything that reaches a web process is trusted in its X-Forwarded-… headers."""
    services = re.split(r"^  (?=[a-z]+:$)", COMPOSE.partition("\nservices:\n")[2], flags=re.MULTILINE)
    assert [one.partition(":")[0] for one in services if re.search(r"^    ports:", one, re.MULTILINE)] == [
        "nginx"
    ]


@pytest.fixture
def checkout(tmp_path):
    """What the scripts need of a checkout."""
    for name in (
        "deploy/secrets",
        "docker-compose.yml",
        "Dockerfile",
        "deploy/pgbouncer/Dockerfile",
        "bin/pin_images.py",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(CHECKOUT / name, tmp_path / name)
    return tmp_path


def made(checkout: Path) -> dict[str, str]:
    subprocess.run([str(checkout / "deploy" / "secrets")], check=True, capture_output=True)
    return {path.name: path.read_text() for path in (checkout / "secrets").iterdir()}


def test_secrets_are_made_once_and_what_an_installation_has_is_taken_over(checkout):
    (checkout / ".env").write_text("SECRET_KEY='as it $was'\nIIN_HASH_KEY=\n")
    first = made(checkout)
    assert first["secret_key"] == "as it $was\n"
    assert len({*first.values()}) == len(first) == 7
    assert all(len(text) >= 10 for text in first.values())
    assert made(checkout) == first
    assert (checkout / "secrets").stat().st_mode & 0o777 == 0o700
    named = set(re.findall(r"\./secrets/(\S+)\}", COMPOSE))
    assert named == {*first, "certificate.pem", "certificate.key"}


def test_redis_and_who_asks_it_know_the_same_password(checkout):
    found = made(checkout)
    password = re.search(r"^requirepass (\S+)$", found["redis_conf"], re.MULTILINE)
    assert password
    assert found["redis_url"] == f"redis://:{password[1]}@redis:6379/0\n"


class TestPinnedImages:
    def run(self, checkout, *arguments, path=os.defpath):
        command = [sys.executable, str(checkout / "bin" / "pin_images.py"), *arguments]
        return subprocess.run(command, capture_output=True, text=True, env={"PATH": path})

    def test_each_is_named_until_it_is_pinned(self, checkout):
        found = self.run(checkout, "--check")
        assert found.returncode == 1
        assert "docker-compose.yml: postgres:18-bookworm" in found.stdout
        assert "deploy/pgbouncer/Dockerfile: debian:bookworm-slim" in found.stdout
        # A registry that always answers the same.
        skopeo = checkout / "skopeo"
        skopeo.write_text(f"#!/bin/sh\n[ $1 = inspect ] && echo '{json.dumps({})}' || echo {DIGEST[1:]}\n")
        skopeo.chmod(0o755)
        assert self.run(checkout, path=f"{checkout}:{os.defpath}").returncode == 0
        assert f"image: postgres:18-bookworm{DIGEST}\n" in (checkout / "docker-compose.yml").read_text()
        assert (checkout / "Dockerfile").read_text().count(DIGEST) == 2
        assert self.run(checkout, "--check").returncode == 0
        assert self.run(checkout, path=f"{checkout}:{os.defpath}").returncode == 0, (
            "again, over the digests of before"
        )

    def test_without_a_registry_nothing_is_changed(self, checkout):
        skopeo = checkout / "skopeo"
        skopeo.write_text("#!/bin/sh\nexit 1\n")
        skopeo.chmod(0o755)
        found = self.run(checkout, path=f"{checkout}:{os.defpath}")
        assert found.returncode == 1
        assert "nothing was changed" in found.stderr
        assert (checkout / "docker-compose.yml").read_text() == COMPOSE
