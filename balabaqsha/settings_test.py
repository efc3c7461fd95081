"""What the tests change: quick hashing, files under a scratch folder, no delivery but by the test itself."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

os.environ.setdefault("DEBUG", "0")
os.environ.setdefault("BALABAQSHA_DEMO", "1")

from balabaqsha.settings import *  # noqa: F403
from balabaqsha.settings import STORAGES

_scratch = Path(tempfile.mkdtemp(prefix="balabaqsha-test-"))
atexit.register(shutil.rmtree, _scratch, ignore_errors=True)
MEDIA_ROOT = _scratch / "media"
SMS_FILE = _scratch / "sms.jsonl"
STATIC_ROOT = _scratch / "static"
STATIC_ROOT.mkdir()

# Tests that run beside each other share one Redis: each process has a queue of its own.
CELERY_TASK_DEFAULT_QUEUE = f"test-{os.getpid()}"

ALLOWED_HOSTS = ["*"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
