"""Name every image by what is in it, not by a tag that may mean another one tomorrow: make pin-images.

Asks the registry by skopeo (apt-get install skopeo) and writes `@sha256:…` behind each tag in docker-compose.yml and in
the Dockerfiles. With --check it asks nobody and names those that are not pinned; 1 if there are any: for a release.
"""

import argparse
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FILES = ("docker-compose.yml", "Dockerfile", "deploy/pgbouncer/Dockerfile")
# An image of others; those that we build ourselves have no tag.
NAMED = re.compile(
    r"^(?P<before>\s*image: |FROM )(?P<name>[\w./-]+:[\w.-]+)(?P<digest>@sha256:[0-9a-f]{64})?", re.MULTILINE
)
SECONDS = 60


def named(text: str) -> Iterator[tuple[str, bool]]:
    """Each image in a file, and whether it is pinned."""
    for found in NAMED.finditer(text):
        yield found["name"], found["digest"] is not None


def digest_of(name: str) -> str:
    """What the registry says is behind a tag now. Raises SystemExit where it is not reached."""
    where = name if "/" in name else f"library/{name}"
    command = ["skopeo", "inspect", "--raw", f"docker://docker.io/{where}"]
    try:
        raw = subprocess.run(command, capture_output=True, check=True, timeout=SECONDS).stdout
        told = subprocess.run(
            ["skopeo", "manifest-digest", "/dev/stdin"],
            input=raw,
            capture_output=True,
            check=True,
            timeout=SECONDS,
        )
    except FileNotFoundError:
        raise SystemExit("skopeo is not installed: apt-get install skopeo") from None
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        raise SystemExit(f"The registry does not tell what {name} is; nothing was changed.") from None
    return told.stdout.decode().strip()


def pinned(text: str, digests: dict[str, str]) -> str:
    """The text with each image by its digest."""
    return NAMED.sub(lambda found: f"{found['before']}{found['name']}@{digests[found['name']]}", text)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="only name those that are not pinned")
    only_checks = parser.parse_args().check
    texts = {name: (ROOT / name).read_text() for name in FILES}
    loose = sorted(
        {(name, file) for file, text in texts.items() for name, is_pinned in named(text) if not is_pinned}
    )
    if only_checks:
        for name, file in loose:
            print(f"{file}: {name} is named by its tag alone: make pin-images")
        return 1 if loose else 0
    digests = {name: digest_of(name) for text in texts.values() for name, _is in named(text)}
    for file, text in texts.items():
        (ROOT / file).write_text(pinned(text, digests))
    print(*(f"{name}@{digest}" for name, digest in digests.items()), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
