"""manage.py import_localities FILE: localities from a CSV file or a workbook."""

from bulletin.importing.command import ImportCommand
from bulletin.importing.localities import Localities


class Command(ImportCommand):
    help = (
        "Adds localities from a file, or changes those that are there, each known by its address on the site."
    )
    kind = Localities()
