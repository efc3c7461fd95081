"""What an installation must not run with (`manage.py check --deploy`); each app has checks of its own too."""

import base64
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import DEFAULT_DB_ALIAS, connections
from django.http.request import validate_host

from accounts.iin import IinError, parse_iin
from balabaqsha.environment import is_fernet_key
from balabaqsha.postgresql.rights import too_much
from bulletin.tiles import UnfitFileError, demand_tiles

# How long a key must be; 32 random bytes are 43 letters, and Django asks for 50 of its own.
KEY_LENGTHS: Final = {"SECRET_KEY": 50, "IIN_HASH_KEY": 40}
DISTINCT_SIGNS: Final = 10
METRICS_TOKEN_LENGTH: Final = 32
MAKE_KEY: Final = 'python3 -c "import secrets; print(secrets.token_urlsafe(50))"'
MAKE_FERNET_KEY: Final = (
    'python3 -c "import base64, secrets; print(base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())"'
)
# A name, one with all names below it (".example.kz"), or an address.
_HOST: Final = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*|(\.[a-z0-9-]+){2,}|\[[0-9a-f:.]+\]", re.IGNORECASE)

IDLE_MINUTES: Final = range(5, 121)

PROXIES: Final = range(1, 6)

_OPERATOR: Final = ("NAME_KK", "NAME_RU", "ADDRESS_KK", "ADDRESS_RU", "BIN")
# As people write it, and no longer than SMS of one segment leave room for.
_PHONE: Final = re.compile(r"\+?[0-9][0-9 ()-]{2,18}[0-9]")

# All of Kazakhstan has used UTC+5 since 1 March 2024, which is in the time-zone data from 2024a on.
ZONES: Final = ("Asia/Almaty", "Asia/Qostanay")
AFTER_THE_CHANGE: Final = datetime(2024, 6, 1, tzinfo=UTC)
ONE_TIME: Final = timedelta(hours=5)


@register(deploy=True)
def no_debug(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Django's error pages show settings, code and people's data."""
    return _refuse(
        settings.DEBUG, "001", "Debug mode is on.", "Unset DEBUG: its error pages show people's data."
    )


@register(deploy=True)
def hosts_are_named(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Links in papers and messages use the host name of the request."""
    hint = "Set ALLOWED_HOSTS to the names of the portal, comma separated, without https:// and ports."
    if not settings.HOSTS_ARE_NAMED:
        return [Error("ALLOWED_HOSTS is not set.", hint=hint, id="balabaqsha.E002")]
    return [
        Error(f"ALLOWED_HOSTS holds {host!r}, which is no name of a server.", hint=hint, id="balabaqsha.E003")
        for host in settings.ALLOWED_HOSTS
        if not _HOST.fullmatch(host)
    ]


@register(deploy=True)
def site_is_ours(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Addresses that we give out lead to the portal over HTTPS."""
    if not settings.SITE_URL:
        return []
    scheme, _, name = settings.SITE_URL.partition("://")
    is_ours = validate_host(name.lower(), settings.ALLOWED_HOSTS)
    return _refuse(
        not is_ours or scheme not in ({"https"} if settings.HTTPS else {"http", "https"}),
        "014",
        "SITE_URL is not an https address of the portal.",
        "Set SITE_URL to https:// and one of ALLOWED_HOSTS, without a port or a path, or unset it.",
    )


@register(deploy=True)
def uploads_have_a_folder_of_their_own(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Files that no row names are deleted from MEDIA_ROOT every hour, so nothing else may be kept there."""
    uploads = Path(settings.MEDIA_ROOT).resolve()
    others = {
        "STATIC_ROOT": settings.STATIC_ROOT,
        "SMS_FILE": settings.SMS_FILE,
        "the folder var": settings.VAR_DIR,
        "the checkout": settings.BASE_DIR,
    }
    return [
        Error(
            f"MEDIA_ROOT contains {name}.",
            hint="Give MEDIA_ROOT a folder in which nothing but uploads lies: files that no row names are deleted.",
            id="balabaqsha.E015",
        )
        for name, path in others.items()
        if Path(path).resolve().is_relative_to(uploads)
    ]


@register(deploy=True)
def keys_are_secret(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """The keys of sessions and hashes are long, random, and not the ones in the code, which everybody can read."""
    problems: list[CheckMessage] = []
    for name, length in KEY_LENGTHS.items():
        key = getattr(settings, name)
        if key == settings.DEVELOPMENT_KEYS[name]:
            problems.append(_bad_key(f"{name} is the one for development."))
        elif len(key) < length or len(set(key)) < DISTINCT_SIGNS:
            problems.append(_bad_key(f"{name} is shorter than {length} signs or not random."))
    if settings.SECRET_KEY == settings.IIN_HASH_KEY:
        problems.append(_bad_key("SECRET_KEY and IIN_HASH_KEY are the same."))
    if settings.IIN_HASH_KEY == settings.IIN_HASH_KEY_OLD:
        problems.append(_bad_key("IIN_HASH_KEY and IIN_HASH_KEY_OLD are the same."))
    return problems


@register(deploy=True)
def iin_keys_encrypt(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Each of IIN_KEYS is a Fernet key: otherwise a wrong one would show at the first registration, or never."""
    hint = f"Make one with: {MAKE_FERNET_KEY}"
    problems: list[CheckMessage] = []
    for number, key in enumerate(settings.IIN_KEYS, start=1):
        if key == settings.DEVELOPMENT_KEYS["IIN_KEYS"]:
            problem = f"IIN_KEYS: key {number} is the one for development."
        elif not _is_random_key(key):
            problem = f"IIN_KEYS: key {number} is no Fernet key, or not random."
        else:
            continue
        problems.append(Error(problem, hint=hint, id="balabaqsha.E005"))
    return problems


@register(deploy=True)
def employees_are_guarded(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """A password alone, or a desk left unattended for hours, must not open the files of all families."""
    idle = settings.STAFF_IDLE_MINUTES
    return [
        *_refuse(
            not settings.STAFF_SECOND_FACTOR,
            "006",
            "Employees get in without a second factor.",
            "Unset STAFF_SECOND_FACTOR: 0 is for rehearsals.",
        ),
        *_refuse(
            idle not in IDLE_MINUTES,
            "007",
            f"An employee who does nothing is signed out after {idle} minutes.",
            f"Set STAFF_IDLE_MINUTES to {IDLE_MINUTES[0]} to {IDLE_MINUTES[-1]}, or unset it.",
        ),
    ]


@register(deploy=True)
def encrypted_on_the_way(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """HTTPS is on and says where it ends: otherwise pages redirect to themselves for ever, or to a wrong address."""
    return [
        *_refuse(
            not settings.HTTPS,
            "008",
            "HTTPS is off: passwords and cookies can be read on the way.",
            "Unset HTTPS: 0 is for one's own machine.",
        ),
        *_refuse(
            settings.HTTPS and settings.BEHIND_PROXY == settings.TLS_ENDS_HERE,
            "009",
            "It is not said, or said twice, where HTTPS ends.",
            "Set BEHIND_PROXY=1 if a proxy in front ends it and sets X-Forwarded-Proto itself, "
            "else TLS_ENDS_HERE=1: this very server holds the certificate.",
        ),
        *_refuse(
            settings.TRUSTED_PROXIES not in (PROXIES if settings.BEHIND_PROXY else {1}),
            "013",
            f"TRUSTED_PROXIES is {settings.TRUSTED_PROXIES}: a visitor who counts as a proxy may write any address.",
            f"Set it to the number of your own proxies in a row, at most {PROXIES[-1]}; without BEHIND_PROXY unset it.",
        ),
    ]


@register(deploy=True)
def forms_come_from_us(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Other sites must not send forms in a family's name: the trusted origins are complete and use HTTPS."""
    hint = "Set CSRF_TRUSTED_ORIGINS to addresses such as https://bala.example.kz, or unset it."
    return [
        Error(
            f"CSRF_TRUSTED_ORIGINS holds {origin!r}, which is not one of ours.",
            hint=hint,
            id="balabaqsha.E016",
        )
        for origin in settings.CSRF_TRUSTED_ORIGINS
        if not origin.lower().startswith("https://") or _is_wide(origin)
    ]


@register(deploy=True)
def tables_have_an_owner(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """The tables belong to another role than the portal's, which may not change a history."""
    hint = (
        "Set MIGRATE_DATABASE_URL to the address of the same database as another role, which owns the tables, for "
        "set_up, migrate and check alone (docs/operators.md)."
    )
    return [
        *_refuse(not settings.OWNER_IS_NAMED, "017", "MIGRATE_DATABASE_URL is not set.", hint),
        *_refuse(
            settings.OWNER_IS_THE_PORTAL,
            "018",
            "DATABASE_URL and MIGRATE_DATABASE_URL name the same role.",
            hint,
        ),
    ]


@register(deploy=True)
def operator_is_named(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Whoever gives a consent, or has a question, must know to whom; a BIN has the check digit of an IIN."""
    missing = [f"OPERATOR_{name}" for name in _OPERATOR if not getattr(settings, f"OPERATOR_{name}")]
    phones = settings.CONTACT_PHONES
    is_ours = phones != settings.DEMO_CONTACT_PHONES and bool(phones) and _PHONE.fullmatch(phones[0])
    return [
        *_refuse(
            bool(missing),
            "019",
            f"The data policy does not say who answers for the data: {', '.join(missing)}.",
            "Set them to the operator's name and address in Kazakh and Russian, and its BIN.",
        ),
        *_refuse(
            bool(settings.OPERATOR_BIN) and not _is_bin(settings.OPERATOR_BIN),
            "020",
            "OPERATOR_BIN is no business identification number.",
            "Copy its twelve digits from the certificate of registration: the last one does not fit the others.",
        ),
        *_refuse(
            not is_ours,
            "021",
            "CONTACT_PHONES does not name your contact centre.",
            "Set it to its numbers, comma separated, as people write them: 8 (727) 123-45-67. SMS name the first.",
        ),
    ]


@register(deploy=True)
def metrics_have_a_secret(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Metrics name nobody, but they tell how busy the portal is and what is broken in it."""
    token = settings.METRICS_TOKEN
    return _refuse(
        bool(token) and (len(token) < METRICS_TOKEN_LENGTH or len(set(token)) < DISTINCT_SIGNS),
        "025",
        f"METRICS_TOKEN is shorter than {METRICS_TOKEN_LENGTH} signs or not random.",
        f"Make one ({MAKE_KEY}), or unset it: then there are no metrics.",
    )


@register(deploy=True)
def errors_can_be_told(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Who waits for mails that nobody sends thinks that all is well."""
    return _refuse(
        bool(settings.ERRORS_TO)
        and not (settings.SENDS_MAIL and all("@" in to for to in settings.ERRORS_TO)),
        "026",
        "ERRORS_TO names nobody whom the portal can write to.",
        "Set EMAIL_HOST, and ERRORS_TO to e-mail addresses, comma separated, or unset ERRORS_TO.",
    )


@register(deploy=True)
def map_says_whose_it_is(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Tiles may be used by naming whose they are, and a file that holds none would leave the map empty."""
    has_tiles = bool(settings.MAP_TILES_URL or settings.MAP_PMTILES)
    unfit = ""
    if settings.MAP_PMTILES:
        try:
            demand_tiles(Path(settings.MAP_PMTILES))
        except UnfitFileError as error:
            unfit = str(error)
    return [
        *_refuse(
            has_tiles and not settings.MAP_ATTRIBUTION,
            "022",
            "The map has tiles and does not say whose they are.",
            "Set MAP_ATTRIBUTION to the words that their licence asks for, such as © OpenStreetMap contributors.",
        ),
        *_refuse(
            settings.MAP_TILES_URL.startswith("http:") and settings.HTTPS,
            "023",
            "MAP_TILES_URL is no https address: browsers load no picture over http into our pages.",
            "Set it to an https address, or take a PMTiles file of your own (MAP_PMTILES).",
        ),
        *_refuse(
            bool(unfit),
            "024",
            f"MAP_PMTILES names a file without tiles for the map: {unfit}.",
            "Name a PMTiles file with pictures (PNG, JPEG, WebP or AVIF), or unset it.",
        ),
    ]


@register(deploy=True)
def zones_are_new(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Older time-zone data opens every vacancy and ends every deadline an hour late."""
    old = [zone for zone in ZONES if AFTER_THE_CHANGE.astimezone(ZoneInfo(zone)).utcoffset() != ONE_TIME]
    return _refuse(
        bool(old),
        "010",
        f"The time-zone data is older than 2024a: wrong by an hour in {', '.join(old)}.",
        "Update the package tzdata of the system, and of the Python environment.",
    )


@register(Tags.database, deploy=True)
def role_owns_nothing(
    app_configs: Any, databases: Iterable[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Statements injected as the portal can't rewrite what happened, nor create tables or functions."""
    if DEFAULT_DB_ALIAS not in (databases or ()):
        return []
    hint = (
        "Give the portal a role of its own: its address in DATABASE_URL, the owner's in MIGRATE_DATABASE_URL, "
        "then manage.py set_up (docs/operators.md)."
    )
    return [
        Error(f"The role of DATABASE_URL {words}.", hint=hint, id="balabaqsha.E011") for words in too_much()
    ]


@register(Tags.database, deploy=True)
def zones_of_the_database_are_new(
    app_configs: Any, databases: Iterable[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """The database computes deadlines too, with its own time-zone data."""
    if DEFAULT_DB_ALIAS not in (databases or ()):
        return []
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute(
            "SELECT zone FROM unnest(%s) AS zone WHERE %s AT TIME ZONE zone <> %s AT TIME ZONE 'UTC'",
            [list(ZONES), AFTER_THE_CHANGE, AFTER_THE_CHANGE + ONE_TIME],
        )
        old = [zone for (zone,) in cursor.fetchall()]
    return _refuse(
        bool(old),
        "012",
        f"The time-zone data of PostgreSQL is older than 2024a: wrong by an hour in {', '.join(old)}.",
        "Update PostgreSQL, or the package tzdata of its machine, and start it anew.",
    )


def _refuse(applies: bool, number: str, problem: str, hint: str) -> list[CheckMessage]:
    return [Error(problem, hint=hint, id=f"balabaqsha.E{number}")] if applies else []


def _is_wide(origin: str) -> bool:
    """Whether it covers all names below a public domain such as .kz."""
    host = origin.partition("://")[2]
    return host.startswith("*.") and host.count(".") < 2


def _is_bin(text: str) -> bool:
    try:
        return parse_iin(text) == text
    except IinError:
        return False


def _bad_key(problem: str) -> CheckMessage:
    hint = (
        f"Make a new one, for each its own: {MAKE_KEY}. Once people have registered, keep the former IIN_HASH_KEY as "
        "IIN_HASH_KEY_OLD until rotate_iin_keys is done."
    )
    return Error(problem, hint=hint, id="balabaqsha.E004")


def _is_random_key(key: str) -> bool:
    return is_fernet_key(key) and len(set(base64.urlsafe_b64decode(key))) >= DISTINCT_SIGNS
