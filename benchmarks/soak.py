"""Many minutes of an ordinary day: `make soak` (two minutes of requests; bounded, stops by itself).

The portal as `make run` serves it (web server, Celery worker and beat) on a scratch database, twenty POSTs a second of
families that sign in, ask for codes, bid, withdraw and file, and five pages a second that they read. One POST in twenty
meets a row that somebody else holds for up to two seconds, so that its transaction lasts as long. Requests are sent
when their time has come, whether or not the ones before are answered, and how long they take counts from then.

Prints a table by kind of request. Ends with 1 on any answer of 5xx or none at all, when what was accepted is not in the
database, when a process logged an error, or when too few requests did what they were meant to.
"""

import argparse
import http.client
import json
import os
import random
import signal
import sys
import tempfile
import time
import zlib
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http.cookies import SimpleCookie
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any
from urllib.parse import urlencode

import psycopg2
from django.contrib.messages.constants import ERROR
from django.core.signing import b64_decode

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from balabaqsha import local, runner
from balabaqsha.servers.foreground import end_orderly
from balabaqsha.servers.running import start as start_servers
from benchmarks.load import TOKEN
from benchmarks.queue_position import percentile
from benchmarks.rush import key
from benchmarks.scratch import build_pages, scratch_database, scratch_redis, served

SECONDS, POSTS_PER_SECOND = 120, 20.0
# Every fifth request reads a page.
READ_ONE_IN = 5
# So many families have signed in before it begins.
FAMILIES, INSIDE, VACANCIES = 4_000, 200, 200
PASSWORD = "қазан-айы-42"  # noqa: S105 - of families that do not exist
# How often a write meets a held row, and for how long.
HELD_ONE_IN, HELD_SECONDS = 20, (0.2, 2.0)
CLIENTS, PATIENCE_SECONDS = 64, 30
# What must have gone as meant, of each kind: a soak of refusals would show nothing.
MEANT_SHARE = 0.9

# A second child of each family, without an application.
MORE_CHILDREN = """
INSERT INTO children_child
    (id, iin, iin_hash, last_name, first_name, middle_name, birth_date, sex, nationality, created_at)
SELECT md5('d' || g)::uuid, '', md5('d' || g), 'Т', 'Т', '', make_date(extract(year FROM now())::int - 4, 5, 5), 'f',
       '', now()
FROM generate_series(1, {families}) AS g;
INSERT INTO children_guardianship (child_id, user_id, source, verified_at)
SELECT md5('d' || g)::uuid, md5('u' || g)::uuid, 'registry', now() FROM generate_series(1, {families}) AS g;
SELECT setval('application_sequence', {families});
"""
ROW_OF = {
    "sign-in": "SELECT FROM accounts_user WHERE id = md5('u{n}')::uuid FOR UPDATE",
    "code check": "SELECT FROM accounts_smscode WHERE phone = '{phone}' FOR UPDATE",
    "bid": "SELECT FROM applications_application WHERE id = md5('a{n}')::uuid FOR UPDATE",
    "withdrawal": "SELECT FROM applications_application WHERE id = md5('a{n}')::uuid FOR UPDATE",
    "filing": "SELECT FROM children_child WHERE id = md5('d{n}')::uuid FOR UPDATE",
}
ACCEPTED = {
    "bid": "SELECT count(*) FROM applications_bid",
    "withdrawal": "SELECT count(*) FROM applications_bid WHERE state = 'withdrawn'",
    "filing": "SELECT count(*) FROM applications_application WHERE number NOT LIKE 'B-%'",
    "code": "SELECT count(*) FROM accounts_smscode",
    "code check": "SELECT coalesce(sum(attempts), 0) FROM accounts_smscode",
}
WEIGHTS = {"sign-in": 4, "code": 3, "code check": 2, "bid": 4, "withdrawal": 4, "filing": 3}
READ, NO_ANSWER = "reading", "none"
PAGES = ("/bulletin/?place=bench&status=all", "/cabinet/", "/cabinet/applications/{application}/")


@dataclass
class Person:
    """A family, or a newcomer who registers; the number tells them apart."""

    n: int
    session: str = ""

    @property
    def phone(self) -> str:
        return f"+7701{self.n:07d}"

    @property
    def address(self) -> str:
        """Each has a network of its own, as the proxy would tell it."""
        return f"10.{self.n // 250}.{self.n % 250}.1"


@dataclass(frozen=True)
class Ask:
    """One request, and what is meant to come of it."""

    path: str
    fields: Mapping[str, str] | None = None
    meant: str = "302"


@dataclass
class Answers:
    """What came back for one kind of request; times in milliseconds."""

    sent: int = 0
    held: int = 0
    meant: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    taken: list[float] = field(default_factory=list)

    def count(self, first: str) -> int:
        """How many answers there are whose status begins so."""
        return sum(n for status, n in self.statuses.items() if status.startswith(first))


class Town:
    """Who can do what next. Everybody is in at most one list of a kind, so that nobody does a thing twice at once."""

    def __init__(self) -> None:
        self._lock = Lock()
        self.inside = [Person(n, session=session_of(n)) for n in range(1, INSIDE + 1)]
        self.ready: dict[str, deque[Person]] = {kind: deque() for kind in WEIGHTS}
        self.ready["sign-in"].extend(Person(n) for n in range(INSIDE + 1, FAMILIES + 1))
        self.ready["code"].extend(Person(n) for n in range(FAMILIES + 1, 3 * FAMILIES))
        self.ready["bid"].extend(self.inside)
        self.ready["filing"].extend(self.inside)

    def next(self, chance: random.Random) -> tuple[str, Person]:
        """A kind by its weight among those for which somebody is ready, and who does it."""
        with self._lock:
            kinds = [kind for kind, people in self.ready.items() if people]
            kind = chance.choices(kinds, [WEIGHTS[one] for one in kinds])[0]
            return kind, self.ready[kind].popleft()

    def reader(self, chance: random.Random) -> Person:
        """Somebody who has signed in."""
        with self._lock:
            return chance.choice(self.inside)

    def went_well(self, kind: str, person: Person) -> None:
        """What the person can do now."""
        then = {
            "sign-in": ["bid", "filing"],
            "code": ["code check"],
            "bid": ["withdrawal"],
            "withdrawal": ["bid"],
        }
        with self._lock:
            for following in then.get(kind, []):
                self.ready[following].append(person)
            if kind == "sign-in":
                self.inside.append(person)


def session_of(n: int) -> str:
    """The key of the session with which a family begins."""
    return f"soak{n:028d}"


def ask_for(kind: str, person: Person) -> Ask:
    application = f"/cabinet/applications/{key(f'a{person.n}')}"
    if kind == "sign-in":
        return Ask("/login/", {"phone": person.phone, "password": PASSWORD})
    if kind == "code":
        return Ask("/register/", {"phone": person.phone, "consent": "on"})
    if kind == "code check":
        # A wrong one: it is counted under the lock of the code's row.
        return Ask("/register/code/", {"code": "000000"}, meant="200")
    if kind == "bid":
        return Ask(f"{application}/apply/{key(f'v{1 + person.n % VACANCIES}')}/", {})
    if kind == "withdrawal":
        return Ask(f"{application}/withdraw/", {})
    child = str(key(f"d{person.n}"))
    return Ask(
        "/cabinet/applications/new/", {"locality": "bench", "languages": "kk", "child": child, "confirm": ""}
    )


def is_error(flash: str) -> bool:
    """Whether the cookie with which a page leaves its messages for the next one holds an error."""
    packed = flash.partition(":")[0]
    if not packed:
        return False
    plain = b64_decode(packed.lstrip(".").encode())
    said: list[list[Any]] = json.loads(zlib.decompress(plain) if packed.startswith(".") else plain)
    # The mark of a message, whether it is safe HTML, its level, its words.
    return any(level >= ERROR for _mark, _is_safe, level, *_words in said)


class Soak:
    """The requests and what came of them."""

    def __init__(
        self, *, database: str, port: int, seconds: float, posts_per_second: float = POSTS_PER_SECOND
    ) -> None:
        self.database, self.port = database, port
        self.seconds, self.posts_per_second = seconds, posts_per_second
        self.town = Town()
        self.answers = {kind: Answers() for kind in (*WEIGHTS, READ)}
        self.left_over = 0
        self._lock = Lock()

    def run(self) -> None:
        """Send everything in its time, and wait for the answers, but not for ever."""
        chance = random.Random(8)
        began = time.perf_counter()
        jobs: list[Future[None]] = []
        with ThreadPoolExecutor(CLIENTS) as pool:
            per_second = self.posts_per_second * READ_ONE_IN / (READ_ONE_IN - 1)
            for n in range(round(self.seconds * per_second)):
                due = began + n / per_second
                time.sleep(max(0.0, due - time.perf_counter()))
                if n % READ_ONE_IN == READ_ONE_IN - 1:
                    jobs.append(pool.submit(self._read, self.town.reader(chance), chance.choice(PAGES), due))
                else:
                    kind, person = self.town.next(chance)
                    is_held = kind in ROW_OF and chance.random() < 1 / HELD_ONE_IN
                    held = chance.uniform(*HELD_SECONDS) if is_held else 0.0
                    jobs.append(pool.submit(self._write, kind, person, held, due))
            wait(jobs, timeout=PATIENCE_SECONDS)
            self.left_over = sum(job.cancel() for job in jobs)
        for job in jobs:
            if not job.cancelled():
                job.result()

    def _read(self, person: Person, page: str, due: float) -> None:
        self._send(READ, person, Ask(page.format(application=key(f"a{person.n}")), meant="200"), due)

    def _write(self, kind: str, person: Person, held: float, due: float) -> None:
        with self._holding(kind, person, held):
            went_well = self._send(kind, person, ask_for(kind, person), due)
        if went_well:
            self.town.went_well(kind, person)

    @contextmanager
    def _holding(self, kind: str, person: Person, seconds: float) -> Iterator[None]:
        """Somebody else holds the row that the request needs, from before it for so long."""
        if not seconds:
            yield
            return
        locked = Event()

        def hold() -> None:
            with closing(psycopg2.connect(self.database)) as connection, connection.cursor() as cursor:
                cursor.execute(ROW_OF[kind].format(n=person.n, phone=person.phone))
                locked.set()
                time.sleep(seconds)

        holder = Thread(target=hold)
        holder.start()
        locked.wait(PATIENCE_SECONDS)
        with self._lock:
            self.answers[kind].held += 1
        try:
            yield
        finally:
            holder.join()

    def _send(self, kind: str, person: Person, ask: Ask, due: float) -> bool:
        try:
            status, session = self._exchange(person, ask)
        except (OSError, http.client.HTTPException) as error:
            status, session = f"{NO_ANSWER} ({type(error).__name__})", ""
        person.session = session or person.session
        with self._lock:
            answers = self.answers[kind]
            answers.sent += 1
            answers.meant += status == ask.meant
            answers.statuses[status] += 1
            answers.taken.append(1000 * (time.perf_counter() - due))
        return status == ask.meant

    def _exchange(self, person: Person, ask: Ask) -> tuple[str, str]:
        """The status of the answer, with a note where it asks to sign in; and the session that it begins, if any."""
        cookies = f"csrftoken={TOKEN}" + (f"; sessionid={person.session}" if person.session else "")
        headers = {"Cookie": cookies, "X-CSRFToken": TOKEN, "X-Forwarded-For": person.address}
        body = None
        if ask.fields is not None:
            body = urlencode(ask.fields)
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        address = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)
        with closing(address) as connection:
            connection.request("GET" if body is None else "POST", ask.path, body, headers)
            answer = connection.getresponse()
            answer.read()
            given: SimpleCookie = SimpleCookie()
            for cookie in answer.headers.get_all("Set-Cookie", []):
                given.load(cookie)
            # Some pages say only in words that they did nothing, and lead back.
            if "/login/?" in answer.headers.get("Location", ""):
                note = " to sign in"
            elif any(is_error(cookie.value) for name, cookie in given.items() if name.endswith("messages")):
                note = " refused"
            else:
                note = ""
            return f"{answer.status}{note}", given["sessionid"].value if "sessionid" in given else ""

    def lost(self) -> dict[str, int]:
        """How many of what was accepted is not in the database, by kind; only where there are any."""
        with closing(psycopg2.connect(self.database)) as connection, connection.cursor() as cursor:
            lost = {}
            for kind, question in ACCEPTED.items():
                cursor.execute(question)
                lost[kind] = self.answers[kind].meant - cursor.fetchone()[0]
        return {kind: n for kind, n in lost.items() if n > 0}


def settings_for(addresses: Mapping[str, str], *, redis_url: str, folder: Path) -> dict[str, str]:
    """The environment of the portal on these servers, as behind the proxy of a real installation."""
    # Newcomers have consecutive numbers, as only a bot's are.
    wide = {f"SMS_CODES_PER_{numbers}_PER_HOUR": "1000000" for numbers in ("OPERATOR", "BLOCK")}
    own = {
        "REDIS_URL": redis_url,
        "BALABAQSHA_DEMO": "1",
        "DEBUG": "0",
        # It tells the families' addresses.
        "BEHIND_PROXY": "1",
        "SMS_FILE": str(folder / "sms.jsonl"),
        "MEDIA_ROOT": str(folder / "media"),
    }
    return local.environment(checkout=ROOT, environ=dict(os.environ) | dict(addresses) | wide | own)


def seed(database: str, *, families: int = FAMILIES, inside: int = INSIDE) -> None:
    """Tables, calendar, families with a password, the first of them with a session, vacancies."""
    import django

    django.setup()
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.auth.hashers import make_password
    from django.core.management import call_command
    from django.db import connection
    from django.utils import timezone

    from accounts.models import Session, User
    from accounts.sessions import SessionStore

    call_command("migrate", interactive=False, verbosity=0)
    call_command("load_holidays", stdout=sys.stderr)
    build_pages()
    town = Path(__file__).with_name("rush_seed.sql").read_text()
    with closing(psycopg2.connect(database)) as owner, owner, owner.cursor() as cursor:
        cursor.execute(town.format(parents=families, vacancies=VACANCIES, password=make_password(PASSWORD)))
        cursor.execute(MORE_CHILDREN.format(families=families))
    stamp = User.objects.get(pk=key("u1")).get_session_auth_hash()
    encode, expires = SessionStore().encode, timezone.now() + timedelta(days=1)
    backend = "django.contrib.auth.backends.ModelBackend"
    sessions = []
    for n in range(1, inside + 1):
        known = {SESSION_KEY: str(key(f"u{n}")), BACKEND_SESSION_KEY: backend, HASH_SESSION_KEY: stamp}
        sessions.append(Session(session_key=session_of(n), session_data=encode(known), expire_date=expires))
    Session.objects.bulk_create(sessions, batch_size=4000)
    connection.close()
    with closing(psycopg2.connect(database)) as raw:
        raw.autocommit = True
        raw.cursor().execute("VACUUM (ANALYZE)")


def errors_in(family: runner.Family) -> list[str]:
    """The lines of the processes' logs that tell of an error, each with its process."""
    return [
        f"{child.name}: {line}"
        for child in family.children
        if child.log is not None
        for line in child.log.read_text(errors="replace").splitlines()
        if " ERROR " in line or " CRITICAL " in line or "[ERROR" in line or "ERROR/" in line
    ]


def report(soak: Soak, *, lost: Mapping[str, int], errors: Sequence[str]) -> bool:
    """Print the table; True when nothing failed and the requests did what they were meant to."""
    print(f"\n{'':12} {'sent':>6} {'held':>5} {'5xx':>4} {'none':>4} {'p50 ms':>8} {'p99 ms':>8}  statuses")
    complaints = []
    for kind, answers in soak.answers.items():
        statuses = "  ".join(f"{status}: {n}" for status, n in sorted(answers.statuses.items()))
        broken, none = answers.count("5"), answers.count(NO_ANSWER)
        p50, p99 = (percentile(answers.taken or [0.0], percent) for percent in (50, 99))
        counts = f"{answers.sent:>6} {answers.held:>5} {broken:>4} {none:>4}"
        print(f"{kind:12} {counts} {p50:>8.0f} {p99:>8.0f}  {statuses}")
        if broken or none:
            complaints.append(f"{kind}: {broken + none} of {answers.sent} failed")
        if answers.meant < MEANT_SHARE * answers.sent or not answers.sent:
            complaints.append(f"{kind}: only {answers.meant} of {answers.sent} did what they were meant to")
    posts = sum(answers.sent for kind, answers in soak.answers.items() if kind != READ)
    print(f"{posts} POSTs and {soak.answers[READ].sent} pages in {soak.seconds:.0f} s")
    if soak.left_over:
        complaints.append(
            f"{soak.left_over} could not be sent in time: this machine is too slow, or too busy"
        )
    complaints += [f"{kind}: {n} accepted and not in the database" for kind, n in lost.items()]
    if errors:
        complaints += [f"{len(errors)} errors in the logs, the first of them:", *errors[:5]]
    print(*complaints or ["nothing failed"], sep="\n")
    return not complaints


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=SECONDS, help=f"how long to send ({SECONDS})")
    parser.add_argument(
        "--per-second", type=float, default=POSTS_PER_SECOND, help=f"how many POSTs ({POSTS_PER_SECOND:g})"
    )
    parser.add_argument("--port", type=int, default=8999, help="where to serve meanwhile (8999)")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, end_orderly)
    with (
        tempfile.TemporaryDirectory(prefix="soak") as name,
        start_servers(environ={}) as running,
        scratch_database(running) as addresses,
        scratch_redis(running.urls["REDIS_URL"]) as redis_url,
    ):
        folder = Path(name)
        database = addresses["MIGRATE_DATABASE_URL"]
        os.environ.update(settings_for(addresses, redis_url=redis_url, folder=folder))
        seed(database)
        soak = Soak(
            database=database,
            port=arguments.port,
            seconds=arguments.seconds,
            posts_per_second=arguments.per_second,
        )
        with served(dict(os.environ), folder=folder, port=arguments.port) as family:
            soak.run()
            family.check_alive()
            errors = errors_in(family)
        return 0 if report(soak, lost=soak.lost(), errors=errors) else 1


if __name__ == "__main__":
    sys.exit(main())
