"""What the tests change: fast hashing, files in a scratch folder, no delivery except by the test itself."""

import os

os.environ.setdefault("DEBUG", "0")
os.environ.setdefault("BALABAQSHA_DEMO", "1")

from balabaqsha.settings import *  # noqa: F403
from balabaqsha.settings import CACHES, INSTALLED_APPS, STORAGES, VAR_DIR
from balabaqsha.settings import CELERY_BROKER_TRANSPORT_OPTIONS as _BROKER_OPTIONS
from balabaqsha.settings import DATABASES as _DATABASES

# Made and removed by tests/conftest.py: a type checker that reads these settings leaves nothing behind.
TEST_FOLDER = VAR_DIR / "tests" / str(os.getpid())
MEDIA_ROOT = TEST_FOLDER / "media"
SMS_FILE = TEST_FOLDER / "sms.jsonl"
STATIC_ROOT = TEST_FOLDER / "static"

# `lintmigrations`, for make lint.
INSTALLED_APPS = [*INSTALLED_APPS, "django_migration_linter"]

# A test empties every table past all triggers, which only a superuser may; `tests.web_role` is the portal's own role.
DATABASES = {"default": _DATABASES["default"] | _DATABASES.get("owner", {})}

# A busy machine's Redis is slow, not away: what a page does without it is for the tests that stop one (`own_redis`).
REDIS_SECONDS = 30.0
CACHES["default"]["OPTIONS"] = {"socket_timeout": REDIS_SECONDS, "socket_connect_timeout": REDIS_SECONDS}

# Tests that run beside each other share one Redis: each process has queues of its own.
CELERY_BROKER_TRANSPORT_OPTIONS = _BROKER_OPTIONS | {"global_keyprefix": f"test-{os.getpid()}:"}

DATABASE_CLOCK = False
REMEMBER_FOR_A_SECOND = False

ALLOWED_HOSTS = ["*"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
