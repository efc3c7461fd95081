"""All settings of the project, read once from the environment.

A value that can't be read stops the start with a message that names the variable; one that is readable but unfit for
a real portal is refused by `check --deploy` (`balabaqsha.checks` and those of the apps). Any value may be given as a
file: `SECRET_KEY_FILE` names one that holds `SECRET_KEY`, and so on. Without `DATABASE_URL` and `REDIS_URL` the
addresses of the embedded servers are used (`balabaqsha.servers`).
"""

from datetime import date
from decimal import Decimal
from pathlib import Path
from sysconfig import get_path
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django_guid.integrations import CeleryIntegration

from balabaqsha.environment import Environment, origin_of
from balabaqsha.log_lines import chosen_format
from balabaqsha.servers import running
from balabaqsha.serving.contract import MOST_WORKERS, PAGE_THREADS, PROBED_PATHS, WORKERS

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"

env = Environment()

# --- who and where -------------------------------------------------------------------------------------------

DEBUG: bool = env.bool("DEBUG", default=False)
# Demo mode: simulated gateways, a desk with their output, a made-up city. A deploy check refuses it elsewhere.
DEMO: bool = env.bool("BALABAQSHA_DEMO", default=False)

# `preview`: people register and add children, while the queue is still kept in the old portal (`applications.preview`).
MODE: str = env.str("MODE", default="open").strip().lower()
if MODE not in ("open", "preview"):
    raise ImproperlyConfigured("MODE must be open or preview.")
# The day on which the portal opens, or has opened.
OPENS_ON: date | None = env.day("OPENS_ON")

# Replaces missing keys, in the demo and in development only.
DEVELOPMENT_KEYS = {
    "SECRET_KEY": "insecure-key-for-development-and-demo-only",
    "IIN_KEYS": "aW5zZWN1cmUta2V5LWZvci1kZXZlbG9wbWVudC0wMDE=",
    "IIN_HASH_KEY": "insecure-hash-key-for-development-and-demo-only",
}

SECRET_KEY: str = env.secret("SECRET_KEY")
if not SECRET_KEY:
    if not (DEBUG or DEMO):
        raise ImproperlyConfigured("Set SECRET_KEY (or SECRET_KEY_FILE): a long random string, kept secret.")
    SECRET_KEY = DEVELOPMENT_KEYS["SECRET_KEY"]

# Encrypts IINs and the texts of SMS. The first key encrypts, all of them decrypt, so a new one is put in front.
IIN_KEYS: list[str] = env.fernet_keys("IIN_KEYS")
# Makes the keyed hash by which an IIN is looked up.
IIN_HASH_KEY: str = env.secret("IIN_HASH_KEY")
# The hash key of before, while `rotate_iin_keys` makes the hashes anew: what it made is still found.
IIN_HASH_KEY_OLD: str = env.secret("IIN_HASH_KEY_OLD")
if not (IIN_KEYS and IIN_HASH_KEY):
    if not (DEBUG or DEMO):
        raise ImproperlyConfigured("Set IIN_KEYS (Fernet keys, comma separated) and IIN_HASH_KEY.")
    IIN_KEYS = IIN_KEYS or [DEVELOPMENT_KEYS["IIN_KEYS"]]
    IIN_HASH_KEY = IIN_HASH_KEY or DEVELOPMENT_KEYS["IIN_HASH_KEY"]

_HOSTS = env.list("ALLOWED_HOSTS", default=[])
# If none are named, only this machine can reach it; a deploy check asks for names.
HOSTS_ARE_NAMED = bool(_HOSTS)
ALLOWED_HOSTS: list[str] = _HOSTS or ["localhost", "127.0.0.1", "[::1]"]
# How absolute addresses begin, as in feeds; without it, the host name of the request.
SITE_URL: str = env.str("SITE_URL", default="").rstrip("/")
CSRF_TRUSTED_ORIGINS: list[str] = env.origins("CSRF_TRUSTED_ORIGINS")
# Only a proxy that sets these headers itself may be trusted with them.
BEHIND_PROXY: bool = env.bool("BEHIND_PROXY", default=False)
# How many proxies in a row are in front of the portal; each adds an entry to X-Forwarded-For.
TRUSTED_PROXIES: int = env.int("TRUSTED_PROXIES", default=1)
if TRUSTED_PROXIES < 1:
    raise ImproperlyConfigured(
        "TRUSTED_PROXIES must be 1 or more; without any proxy leave BEHIND_PROXY unset."
    )
HTTPS: bool = env.bool("HTTPS", default=not (DEBUG or DEMO))
# The statement that browsers speak TLS to this very server, without a proxy between.
TLS_ENDS_HERE: bool = env.bool("TLS_ENDS_HERE", default=False)

# For `python -m balabaqsha.serving`, which reads it before there are settings; it is here so that checks see it.
WEB_WORKERS: int = env.int("WEB_WORKERS", default=WORKERS, least=1, most=MOST_WORKERS)
# For whoever reads `/metrics`; without it that is not there, and nothing is counted.
METRICS_TOKEN: str = env.token("METRICS_TOKEN")
# What `/health/` looks at besides (`balabaqsha.health.surroundings`): the certificate that visitors are shown, as
# host:port or the path of a file; what `deploy/backup` writes down; the folder of a database on this machine.
CERTIFICATE: str = env.certificate("CERTIFICATE")
BACKUP_STATE: str = env.credential("BACKUP_STATE").strip()
DATABASE_FOLDER: str = env.credential("DATABASE_FOLDER").strip()

# --- apps and the way of a request ---------------------------------------------------------------------------

INSTALLED_APPS = [
    "balabaqsha.apps.BalabaqshaConfig",
    "notifications",
    "accounts",
    "children",
    "bulletin",
    "applications",
    "balabaqsha.apps.StaffAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django_guid",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "phonenumber_field",
]

MIDDLEWARE = [
    "balabaqsha.metrics.requests.CountingMiddleware",
    "django_guid.middleware.guid_middleware",
    "balabaqsha.middleware.BrowserLimitsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "balabaqsha.compression.CompressionMiddleware",
    "csp.middleware.CSPMiddleware",
    "balabaqsha.open_data.problems.ProblemsMiddleware",
    "balabaqsha.wellformed.WellFormedMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "accounts.middleware.SessionEndsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "accounts.middleware.ForeignNextMiddleware",
    "applications.middleware.PlaceTimeMiddleware",
    "applications.middleware.HandingInMiddleware",
    "balabaqsha.turned_away.GatewayMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "accounts.middleware.TypedTextMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "accounts.middleware.PrivatePagesMiddleware",
    "accounts.middleware.LanguageChoiceMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "accounts.middleware.SessionEndedMiddleware",
    "balabaqsha.middleware.NotAllowedMiddleware",
    "applications.middleware.BusyMiddleware",
    "applications.middleware.WithheldMiddleware",
    "balabaqsha.turned_away.PasswordsMiddleware",
]

ROOT_URLCONF = "balabaqsha.urls"
# A vacancy's page belongs to an app above the one that holds vacancies.
ABSOLUTE_URL_OVERRIDES = {
    "bulletin.vacancy": lambda vacancy: reverse("applications:vacancy", args=[vacancy.pk]),
}
WSGI_APPLICATION = "balabaqsha.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "balabaqsha.context.site",
            ],
        },
    },
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
INSTALLED_APPS.append("django.forms")

# --- data ----------------------------------------------------------------------------------------------------

DATABASES = {
    "default": env.database("DATABASE_URL", beside="DATABASE_PASSWORD", default=running.database_url())
}
DATABASES["default"].update(ENGINE="balabaqsha.postgresql", CONN_MAX_AGE=600, CONN_HEALTH_CHECKS=True)
# The address leads to a pool that gives a connection to each transaction (deploy/pgbouncer): nothing outlives one. For
# web processes alone; workers, beat and commands name the database itself.
DATABASE_POOLED: bool = env.bool("DATABASE_POOLED")
DATABASES["default"]["DISABLE_SERVER_SIDE_CURSORS"] = DATABASE_POOLED
# A replica from which public pages may read what is some seconds old (`notifications.replica`), as the portal's role.
REPLICA_URL: str = env.secret("REPLICA_URL").strip()
DATABASE_ROUTERS: list[str] = []
if REPLICA_URL:
    DATABASES["replica"] = env.database("REPLICA_URL", beside="DATABASE_PASSWORD", default="")
    DATABASES["replica"].update(ENGINE="balabaqsha.postgresql", CONN_MAX_AGE=600, CONN_HEALTH_CHECKS=True)
    DATABASES["replica"]["OPTIONS"] = {
        "connect_timeout": 2,
        "tcp_user_timeout": 2_000,
    } | DATABASES["replica"].get("OPTIONS", {})
    DATABASE_ROUTERS = ["notifications.replica.Router"]
# The owner of the tables, only for `migrate` and `set_up`: the portal's own role may change no table and no history.
if env.secret("MIGRATE_DATABASE_URL") or not env.secret("DATABASE_URL"):
    if not env.secret("DATABASE_URL") and env.secret("MIGRATE_DATABASE_URL"):
        raise ImproperlyConfigured(
            "Set DATABASE_URL, too: MIGRATE_DATABASE_URL is for migrate and set_up alone."
        )
    DATABASES["owner"] = env.database(
        "MIGRATE_DATABASE_URL", beside="MIGRATE_DATABASE_PASSWORD", default=running.owner_database_url()
    )
    DATABASES["owner"].update(ENGINE="balabaqsha.postgresql")
# A deploy check requires the owner, and that it is another role.
OWNER_IS_NAMED = "owner" in DATABASES
OWNER_IS_THE_PORTAL = OWNER_IS_NAMED and DATABASES["owner"]["USER"] == DATABASES["default"]["USER"]
# A server that is down or cut off is given up within some ten seconds, instead of the kernel's quarter of an hour; one
# that accepts no more connections, within three. The address may say otherwise.
for _address in DATABASES.values():
    _address["OPTIONS"] = {
        "connect_timeout": 3,
        "tcp_user_timeout": 10_000,
        "keepalives_idle": 5,
        "keepalives_interval": 2,
        "keepalives_count": 3,
    } | _address.get("OPTIONS", {})
# The databases as the role that says whether commits wait for the standby, as libpq reads it: `guard_standby` alone.
GUARD_DATABASE_URL: str = env.secret("GUARD_DATABASE_URL").strip()
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL: str = env.redis("REDIS_URL", default=running.redis_url())
# A hanging Redis must not hang the pages: its callers cope without an answer (`accounts.limits`).
REDIS_SECONDS = 1.0
CACHES: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {"socket_timeout": REDIS_SECONDS, "socket_connect_timeout": REDIS_SECONDS},
    }
}

SESSION_ENGINE = "accounts.sessions"
# Of an employee; a family's ends sooner (`accounts.sessions`).
SESSION_COOKIE_AGE = 12 * 60 * 60
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
MESSAGE_STORAGE = "balabaqsha.flash.FlashStorage"
# When the session ends, for the script that warns of it: a time, no secret, so scripts may read it.
SESSION_ENDS_COOKIE_NAME = "session_ends"
FLASH_COOKIE_NAME = "messages"
PLACE_COOKIE_NAME = "place"

MEDIA_ROOT = Path(env.str("MEDIA_ROOT", default=str(VAR_DIR / "media")))
FILE_UPLOAD_PERMISSIONS = 0o600
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o700
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
UPLOAD_MAX_BYTES = 5 * 1024 * 1024
UPLOAD_MAX_PIXELS = 40_000_000
UPLOAD_MAX_FILES = 5
# What a page with files accepts in total. A single file that is too large is still read, so that its form can say so.
UPLOAD_FORM_MAX_BYTES = UPLOAD_MAX_FILES * UPLOAD_MAX_BYTES + DATA_UPLOAD_MAX_MEMORY_SIZE

STATIC_URL = "/static/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", default=str(VAR_DIR / "static")))
# Leaflet as django-leaflet carries it; nothing of that package runs, and half of it is left out (`balabaqsha.apps`).
STATICFILES_DIRS: list[Path | tuple[str, Path]] = [
    BASE_DIR / "static",
    ("fonts", VAR_DIR / "fonts"),
    ("leaflet", Path(get_path("purelib"), "leaflet", "static", "leaflet")),
]
STORAGES = {
    "default": {"BACKEND": "accounts.kept_files.KeptFiles"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# --- people --------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
PASSWORD_HASHERS = [
    "accounts.hashing.Argon2Hasher",
    "accounts.hashing.PBKDF2Hasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "accounts.passwords.LengthValidator"},
    {"NAME": "accounts.passwords.PersonalValidator"},
    {"NAME": "accounts.passwords.RepetitionValidator"},
    {"NAME": "accounts.passwords.CommonValidator"},
    {"NAME": "accounts.leaked_passwords.LeakedValidator"},
]
# A service that tells which hashes of leaked passwords begin with five given digits; none is asked by default.
LEAKED_PASSWORDS_URL: str = env.http_address("LEAKED_PASSWORDS_URL")
# For the whole answer: a parent is waiting for the page.
LEAKED_PASSWORDS_SECONDS: float = 2.0
LOGIN_URL = "accounts:login"
LOGIN_REDIRECT_URL = "applications:cabinet"
LOGOUT_REDIRECT_URL = "home"

# The cookies of known devices, of sign-ins that wait for a code (`accounts.devices`, `.pending`), and of visits to the
# provider of identity.
DEVICE_COOKIE_NAME = "device"
PENDING_SIGN_IN_COOKIE_NAME = "signin"
IDENTITY_COOKIE_NAME = "identity"

OTP_TOTP_ISSUER = "Balabaqsha"
STAFF_SECOND_FACTOR: bool = env.bool("STAFF_SECOND_FACTOR", default=True)
# An employee who left the desk is signed out; parents are not. A request is noted once a minute.
STAFF_IDLE_MINUTES: int = env.int("STAFF_IDLE_MINUTES", default=30)
# The hour, by the clock of the place, at which workers get their one notice a day of new bids.
STAFF_DIGEST_HOUR: int = env.int("STAFF_DIGEST_HOUR", default=9, least=0, most=23)

PHONENUMBER_DEFAULT_REGION = "KZ"
PHONENUMBER_DB_FORMAT = "E164"
PHONENUMBER_DEFAULT_FORMAT = "INTERNATIONAL"

# The version of the data policy in force; a consent is stored with it. Raise it when the text changes: whoever agreed
# to an earlier one is asked anew.
DATA_POLICY_VERSION = "2026-12-03"

# Who answers for people's data: a consent names them (Law 94-V, article 8).
OPERATOR_NAME_KK: str = env.credential("OPERATOR_NAME_KK").strip()
OPERATOR_NAME_RU: str = env.credential("OPERATOR_NAME_RU").strip()
OPERATOR_ADDRESS_KK: str = env.credential("OPERATOR_ADDRESS_KK").strip()
OPERATOR_ADDRESS_RU: str = env.credential("OPERATOR_ADDRESS_RU").strip()
OPERATOR_BIN: str = env.credential("OPERATOR_BIN").strip()
# Pages show all of them, in this order; SMS name the first.
DEMO_CONTACT_PHONES = ["8 (727) 339-72-22", "8 (747) 339-72-22 (WhatsApp)"]
CONTACT_PHONES: list[str] = env.list("CONTACT_PHONES", default=DEMO_CONTACT_PHONES)

PERSON_REGISTRY: str = env.str(
    "PERSON_REGISTRY",
    default="accounts.registry.simulator.SimulatedRegistry"
    if DEBUG or DEMO
    else "accounts.registry.http.HttpRegistry",
)
PERSON_REGISTRY_URL: str = env.http_address("PERSON_REGISTRY_URL")
PERSON_REGISTRY_TOKEN: str = env.token("PERSON_REGISTRY_TOKEN")
# Paths of PEM files, where the gateway asks for a certificate or has one of its own authority (docs/registry.md).
PERSON_REGISTRY_CERTIFICATE: str = env.credential("PERSON_REGISTRY_CERTIFICATE").strip()
PERSON_REGISTRY_CA: str = env.credential("PERSON_REGISTRY_CA").strip()
# For the whole answer, from looking up the name to the last byte: a parent is waiting for the page.
PERSON_REGISTRY_SECONDS: float = 5.0

# Who proves people's identity (eGov QR, EDS), for a sign-in without a password; nobody by default (docs/identity.md).
IDENTITY_PROVIDER: str = env.str(
    "IDENTITY_PROVIDER",
    default="accounts.identity_provider.simulator.SimulatedProvider" if DEMO else "",
)
IDENTITY_PROVIDER_URL: str = env.http_address("IDENTITY_PROVIDER_URL")
IDENTITY_PROVIDER_TOKEN: str = env.token("IDENTITY_PROVIDER_TOKEN")
# The public key of its answers: thirty-two bytes as URL-safe Base64.
IDENTITY_PROVIDER_KEY: str = env.token("IDENTITY_PROVIDER_KEY")
# For the whole answer: a parent is waiting for the page.
IDENTITY_PROVIDER_SECONDS: float = 5.0

# How many threads of a process may wait for the same peer: the others go on serving pages.
THREADS_PER_PEER: int = max(1, PAGE_THREADS // 2)

SMS_BACKEND: str = env.str(
    "SMS_BACKEND",
    default="notifications.sms.file.FileBackend"
    if DEBUG or DEMO
    else "notifications.sms.failover.FailoverBackend",
)
# How many SMS are handed over at once, as the provider allows; one of them only ever a code.
SMS_AT_ONCE: int = env.int("SMS_AT_ONCE", default=10, least=1, most=100)
SMS_FILE = Path(env.str("SMS_FILE", default=str(VAR_DIR / "sms.jsonl")))
SMS_SENDER: str = env.str("SMS_SENDER", default="BALABAQSHA")
SMS_FAILOVER_BACKENDS: list[str] = env.list(
    "SMS_FAILOVER_BACKENDS",
    default=["notifications.sms.smsc.SmscBackend", "notifications.sms.mobizon.MobizonBackend"],
)
# What SMS may cost (`notifications.budget`). Codes for newcomers get a part of the day's budget.
SMS_BUDGET_PER_DAY: int = env.int("SMS_BUDGET_PER_DAY", default=20_000)
SMS_NEWCOMERS_PERCENT: int = env.int("SMS_NEWCOMERS_PERCENT", default=50, most=100)
SMS_CODES_PER_OPERATOR_PER_HOUR: int = env.int("SMS_CODES_PER_OPERATOR_PER_HOUR", default=1_000)
SMS_CODES_PER_BLOCK_PER_HOUR: int = env.int("SMS_CODES_PER_BLOCK_PER_HOUR", default=40)
SMS_NOTICES_PER_RECIPIENT_PER_DAY: int = env.int("SMS_NOTICES_PER_RECIPIENT_PER_DAY", default=20)
SMSC_LOGIN: str = env.credential("SMSC_LOGIN")
SMSC_PASSWORD: str = env.credential("SMSC_PASSWORD")
SMSC_URL: str = env.http_address("SMSC_URL", default="https://smsc.kz/sys/send.php")
# For a gateway's whole answer.
SMS_GATEWAY_SECONDS: float = 10.0
MOBIZON_API_KEY: str = env.token("MOBIZON_API_KEY")
MOBIZON_URL: str = env.http_address(
    "MOBIZON_URL", default="https://api.mobizon.kz/service/message/sendSmsMessage"
)
# The key set in its panel for the webhook of its reports; without one its reports are only asked for.
MOBIZON_WEBHOOK_SECRET: str = env.credential("MOBIZON_WEBHOOK_SECRET")
# A Kannel of one's own. Its user and password go in headers.
KANNEL_URL: str = env.http_address("KANNEL_URL")
KANNEL_USERNAME: str = env.token("KANNEL_USERNAME")
KANNEL_PASSWORD: str = env.token("KANNEL_PASSWORD")
# What a segment of an SMS takes, in tenge, where the gateway itself does not say: smsc=18.50,mobizon=20
SMS_PRICES: dict[str, Decimal] = env.prices("SMS_PRICES")

# Telegram is another way beside SMS for whoever links a chat. Without a token the portal offers none.
TELEGRAM_TOKEN: str = env.token("TELEGRAM_TOKEN")
# The bot's name, to which the link leads: `t.me/<name>`.
TELEGRAM_BOT: str = env.token("TELEGRAM_BOT").removeprefix("@")
TELEGRAM_URL: str = env.http_address("TELEGRAM_URL", default="https://api.telegram.org")

# Notices on the screens of phones and computers (Web Push), for whoever turns them on. Without a key, which
# `make_push_keys` makes, the portal offers none.
PUSH_PRIVATE_KEY: str = env.token("PUSH_PRIVATE_KEY")
# Whom the services of browsers write to if something is wrong: `mailto:…` or `https://…`.
PUSH_CONTACT: str = env.credential("PUSH_CONTACT").strip()
# Where browsers take messages: an address that a browser names must be of one of these hosts, or below one.
PUSH_SERVICES: list[str] = env.list(
    "PUSH_SERVICES",
    default=[
        "fcm.googleapis.com",
        "push.services.mozilla.com",
        "push.apple.com",
        "notify.windows.com",
    ],
)
# For the whole answer of one of them. An account has `notifications.web_push.MOST_DEVICES`.
PUSH_SECONDS: float = 5.0
# Tests alone have such a service on this machine.
PUSH_TO_OWN_NETWORK = False

# E-mail is a second copy beside SMS for whoever asks for it. Without a mail server the portal offers none.
EMAIL_HOST: str = env.credential("EMAIL_HOST")
EMAIL_PORT: int = env.int("EMAIL_PORT", default=587, least=1, most=65_535)
EMAIL_HOST_USER: str = env.credential("EMAIL_HOST_USER")
EMAIL_HOST_PASSWORD: str = env.credential("EMAIL_HOST_PASSWORD")
# STARTTLS, or TLS from the first byte.
EMAIL_USE_TLS: bool = env.bool("EMAIL_USE_TLS", default=EMAIL_PORT == 587)
EMAIL_USE_SSL: bool = env.bool("EMAIL_USE_SSL", default=EMAIL_PORT == 465)
EMAIL_BACKEND: str = env.str(
    "EMAIL_BACKEND",
    default="notifications.mail_backends.smtp.EmailBackend"
    if EMAIL_HOST or not (DEBUG or DEMO)
    else "notifications.mail_backends.file.EmailBackend",
)
# For one wait; a whole delivery may take `MAIL_SECONDS`.
EMAIL_TIMEOUT: float = 10.0
MAIL_SECONDS: float = 25.0
MAILS_AT_ONCE: int = env.int("MAILS_AT_ONCE", default=4, least=1, most=50)
DEFAULT_FROM_EMAIL: str = env.credential("MAIL_FROM") or "noreply@localhost"
MAIL_DOMAIN: str = DEFAULT_FROM_EMAIL.rpartition("@")[2].rstrip("> ")
SENDS_MAIL: bool = bool(EMAIL_HOST) or not EMAIL_BACKEND.endswith(".smtp.EmailBackend")

# What lies under the marks of the map: nothing, pictures of another server by their address with {z}, {x} and {y}, or
# those of a PMTiles file of the portal's own; and whose they are.
MAP_TILES_URL: str = env.tiles("MAP_TILES_URL")
MAP_PMTILES: str = env.credential("MAP_PMTILES").strip()
MAP_ATTRIBUTION: str = env.credential("MAP_ATTRIBUTION").strip()
if MAP_TILES_URL and MAP_PMTILES:
    raise ImproperlyConfigured("Set MAP_TILES_URL or MAP_PMTILES, and not both.")

# --- languages and formats -----------------------------------------------------------------------------------

LANGUAGE_CODE = "kk"
LANGUAGES = [("kk", _("Kazakh")), ("ru", _("Russian"))]
# The second holds what Django and the libraries lack, or translate badly, in our two languages.
LOCALE_PATHS = [BASE_DIR / "locale", BASE_DIR / "locale" / "libraries"]
FORMAT_MODULE_PATH = ["balabaqsha.formats"]
USE_I18N = True
USE_TZ = True
# Off: years, ages and numbers of applications must not be grouped; counts ask for it with floatformat:"0g".
USE_THOUSAND_SEPARATOR = False
# Localities carry their own zone; this one serves pages that belong to no locality.
TIME_ZONE = "Asia/Almaty"

# --- Celery --------------------------------------------------------------------------------------------------

# Celery has its own words for a Redis behind a Unix socket.
CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://", 1).replace("?db=", "?virtual_host=", 1)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_TIME_LIMIT = 300
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# A process that begins on a busy machine is slow, not dead: after Celery's own four seconds it would be killed with the
# task that it was given, and so would the next one.
CELERY_WORKER_PROC_ALIVE_TIMEOUT = 60.0
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULER = "balabaqsha.beat:Scheduler"
# A page never waits for the broker: the outbox row is the promise, and the task only wakes the sender.
CELERY_TASK_PUBLISH_RETRY = False
# Without max_retries the client looks for a dead broker for some six seconds, despite the line above.
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, int | str] = {
    "socket_timeout": 2,
    "socket_connect_timeout": 2,
    "max_retries": 0,
}

# The database's clock, the same for all servers, decides whether anything is in time (`notifications.clock`). Tests
# stop their own clock.
DATABASE_CLOCK = True
# Lists and pages that many see alike are computed once a second. Tests change the data within a second.
REMEMBER_FOR_A_SECOND = True

# --- security ------------------------------------------------------------------------------------------------

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:", *([origin_of(MAP_TILES_URL)] if MAP_TILES_URL else [])],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
        "form-action": ["'self'"],
    },
}
# No page uses any of these, so no foreign code in one may either; the map alone may ask where its visitor is.
PERMISSIONS_POLICY = ", ".join(
    f"{feature}=()"
    for feature in (
        "accelerometer",
        "autoplay",
        "browsing-topics",
        "camera",
        "clipboard-read",
        "display-capture",
        "geolocation",
        "gyroscope",
        "hid",
        "idle-detection",
        "magnetometer",
        "microphone",
        "midi",
        "payment",
        "publickey-credentials-get",
        "screen-wake-lock",
        "serial",
        "usb",
        "xr-spatial-tracking",
    )
)
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "balabaqsha.views.csrf_failure"
if HTTPS:
    SECURE_SSL_REDIRECT = True
    # Programs of the operator ask for them on the machine itself, where nobody speaks TLS.
    SECURE_REDIRECT_EXEMPT = [rf"^{path.strip('/')}/?$" for path in PROBED_PATHS]
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = True
    SESSION_COOKIE_NAME = "__Host-sessionid"
    CSRF_COOKIE_SECURE = True
    CSRF_COOKIE_NAME = "__Host-csrftoken"
    DEVICE_COOKIE_NAME = "__Host-device"
    PENDING_SIGN_IN_COOKIE_NAME = "__Host-signin"
    IDENTITY_COOKIE_NAME = "__Host-identity"
    SESSION_ENDS_COOKIE_NAME = "__Host-session_ends"
    FLASH_COOKIE_NAME = "__Host-messages"
    PLACE_COOKIE_NAME = "__Host-place"
if BEHIND_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# --- logs ----------------------------------------------------------------------------------------------------

LOG_LEVEL: str = env.str("LOG_LEVEL", default="INFO").upper()
if LOG_LEVEL not in ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"):
    raise ImproperlyConfigured("LOG_LEVEL must be DEBUG, INFO, WARNING, ERROR or CRITICAL.")

# To whom errors of ours are told by e-mail (`balabaqsha.error_mails`); the log has them all.
ERRORS_TO: list[str] = env.list("ERRORS_TO", default=[])
# Lines for people, or JSON for programs; of what happens for one request each line bears its id, in tasks, too.
LOG_FORMAT: str = chosen_format(env)
DJANGO_GUID = {
    "GUID_HEADER_NAME": "X-Request-ID",
    "VALIDATE_GUID": True,
    "EXPOSE_HEADER": False,
    "UUID_FORMAT": "hex",
    "INTEGRATIONS": [CeleryIntegration()],
}
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "without_trace": {"()": "balabaqsha.wellformed.WithoutTrace"},
        "with_request": {"()": "django_guid.log_filters.CorrelationId"},
        "with_user": {"()": "balabaqsha.log_lines.WithUser"},
    },
    "formatters": {
        "json": {"class": "balabaqsha.log_lines.JsonLine"},
        "line": {
            "class": "balabaqsha.log_lines.OneLine",
            "format": "%(asctime)s %(levelname)s %(name)s %(message)s",
            # With the offset, so that lines of machines in different zones can be put in order.
            "datefmt": "%Y-%m-%d %H:%M:%S%z",
        },
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": LOG_FORMAT,
            "filters": ["with_request", "with_user", "without_trace"],
        }
    },
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {
        # Instead of Django's own handlers: every line is written in one way.
        "django": {"handlers": []},
        "django.server": {"handlers": ["console"], "propagate": False},
        # They describe every step and every glyph of every PDF.
        "fontTools": {"level": "WARNING"},
        "weasyprint.progress": {"level": "WARNING"},
        # They tell of every sweep, thirty a minute; what has not run is told by the report of health.
        "celery.app.trace": {"level": "WARNING"},
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.beat": {"level": "WARNING"},
        # It tells of every id, and repeats what strangers send as one.
        "django_guid": {"level": "ERROR"},
        # A refusal is an ordinary answer: ten thousand at the opening are in the access log, not here.
        "django.request": {"level": "ERROR"},
    },
}
if ERRORS_TO:
    LOGGING["handlers"]["mails"] = {
        "class": "balabaqsha.error_mails.ErrorMails",
        "filters": ["with_request", "with_user"],
    }
    # First: another handler may write values into a line's words.
    LOGGING["root"]["handlers"].insert(0, "mails")
