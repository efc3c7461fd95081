"""The small city of a drill: families that have signed in and wait, vacancies, an employee: `python -m drills.city`."""

import os
import sys
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import psycopg2

ROOT: Final = Path(__file__).resolve().parent.parent
FAMILIES, VACANCIES = 1_000, 100
TOKEN: Final = "a" * 32


def session_of(n: int) -> str:
    """The key of the session of a family that has signed in."""
    return f"drill{n:027d}"


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "balabaqsha.settings")
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", interactive=False, verbosity=0)
    for command in (
        "setup_roles",
        "load_holidays",
        "load_benefit_categories",
        "compile_catalogues",
        "build_fonts",
    ):
        call_command(command, stdout=sys.stderr)
    call_command("collectstatic", interactive=False, verbosity=0)
    families = (ROOT / "benchmarks" / "rush_seed.sql").read_text()
    with (
        closing(psycopg2.connect(os.environ["MIGRATE_DATABASE_URL"])) as owner,
        owner,
        owner.cursor() as cursor,
    ):
        cursor.execute(families.format(parents=FAMILIES, vacancies=VACANCIES, password="!"))  # noqa: S106 - nobody's
        cursor.execute(f"SELECT setval('application_sequence', {FAMILIES})")
    sessions()
    employee()
    return 0


def sessions() -> None:
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.utils import timezone

    from accounts.models import Session, User
    from accounts.sessions import SessionStore
    from benchmarks.rush import key

    stamp = User.objects.get(pk=key("u1")).get_session_auth_hash()
    encode, expires = SessionStore().encode, timezone.now() + timedelta(days=1)
    backend = "django.contrib.auth.backends.ModelBackend"
    Session.objects.bulk_create(
        Session(
            session_key=session_of(n),
            session_data=encode(
                {SESSION_KEY: str(key(f"u{n}")), BACKEND_SESSION_KEY: backend, HASH_SESSION_KEY: stamp}
            ),
            expire_date=expires,
        )
        for n in range(1, FAMILIES + 1)
    )


def employee() -> None:
    """Somebody who works in every kindergarten of the bench."""
    from django.contrib.auth.models import Group

    from accounts.models import User
    from accounts.roles import Role
    from bulletin.models import Employment, Kindergarten
    from drills.cluster import EMPLOYEE

    name, password = EMPLOYEE
    user = User.objects.create_staff(username=name, password=password)
    user.groups.add(Group.objects.get(name=Role.KINDERGARTEN.value))
    for kindergarten in Kindergarten.objects.all():
        Employment.objects.create(user=user, kindergarten=kindergarten, since=date(2020, 1, 1))


if __name__ == "__main__":
    sys.exit(main())
