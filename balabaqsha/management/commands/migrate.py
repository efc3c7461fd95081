"""`manage.py migrate`: Django's own, as the owner of the tables; then the portal's role gets its rights on them."""

from typing import Any

from django.core.management.base import CommandError, no_translations
from django.core.management.commands import migrate
from django.db import DEFAULT_DB_ALIAS, ProgrammingError, connections
from psycopg2.errors import InsufficientPrivilege

from balabaqsha.postgresql.rights import OWNER, RoleMissing, grant_rights, owner_alias


class Command(migrate.Command):
    help = "Updates the tables as their owner (MIGRATE_DATABASE_URL), and gives the portal's role its rights."

    def execute(self, *args: Any, **options: Any) -> str | None:
        # Before the checks that belong to a database.
        if options["database"] == DEFAULT_DB_ALIAS:
            options["database"] = owner_alias()
        return super().execute(*args, **options)

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        try:
            super().handle(*args, **options)
        except ProgrammingError as error:
            if not isinstance(error.__cause__, InsufficientPrivilege):
                raise
            raise CommandError(
                f"The role {connections[options['database']].settings_dict['USER']} may not change the tables: {error}"
                "Their owner's address belongs into MIGRATE_DATABASE_URL (docs/operators.md)."
            ) from error
        if options["database"] == OWNER and not (options["check_unapplied"] or options["plan"]):
            try:
                grant_rights()
            except RoleMissing as error:
                raise CommandError(str(error)) from error
