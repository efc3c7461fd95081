"""manage.py import_groups FILE: groups from a CSV file or a workbook."""

from applications.city.groups import GroupKind
from bulletin.importing.command import ImportCommand


class Command(ImportCommand):
    help = (
        "Adds groups from a file, or changes those that are there, each known by its kindergarten and name."
    )
    kind = GroupKind()
