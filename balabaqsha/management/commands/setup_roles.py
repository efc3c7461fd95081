"""Give the groups of the employees' roles their rights."""

from typing import Any

from django.core.management.base import BaseCommand

from balabaqsha.roles import PERMISSIONS, set_up_roles


class Command(BaseCommand):
    help = "Create the groups of the employees' roles and give them their rights. May be repeated."

    def handle(self, *args: Any, **options: Any) -> None:
        set_up_roles()
        for role, names in PERMISSIONS.items():
            self.stdout.write(f"{role.value}: {len(names)} permissions")
