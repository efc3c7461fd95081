"""`manage.py migrate`: Django's own, as the owner of the tables; then the portal's role gets its rights on them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import CommandError, no_translations
from django.core.management.commands import migrate
from django.db import DEFAULT_DB_ALIAS, connections

from balabaqsha.postgresql.letters import LettersUnknown, demand_letters
from balabaqsha.postgresql.rights import OWNER, RoleMissing, grant_rights, owner_alias
from balabaqsha.turns import alone_on


@contextmanager
def not_as_the_portal(alias: str) -> Iterator[None]:
    """Make a statement of the portal's own role an error while the tables are changed on the connection `alias`.

    It would wait for a table that this very process holds, and the database can't see that nobody will ever go on.
    """

    def refuse(*args: Any) -> None:
        raise RuntimeError(
            "A migration used the portal's connection: its rows are those of .using(schema_editor.connection.alias)."
        )

    if alias == DEFAULT_DB_ALIAS:
        yield
        return
    with connections[DEFAULT_DB_ALIAS].execute_wrapper(refuse):
        yield


class Command(migrate.Command):
    help = "Updates the tables as their owner (MIGRATE_DATABASE_URL), and gives the portal's role its rights."

    def execute(self, *args: Any, **options: Any) -> str | None:
        # Before the checks that belong to a database.
        if options["database"] == DEFAULT_DB_ALIAS:
            options["database"] = owner_alias()
        return super().execute(*args, **options)

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        if options["check_unapplied"] or options["plan"]:
            super().handle(*args, **options)
            return
        connection = connections[options["database"]]
        try:
            demand_letters(connection)
        except LettersUnknown as error:
            raise CommandError(str(error)) from error
        with alone_on(connection, say=self.stdout.write):
            with not_as_the_portal(options["database"]):
                super().handle(*args, **options)
            if options["database"] == OWNER:
                try:
                    grant_rights()
                except RoleMissing as error:
                    raise CommandError(str(error)) from error
