"""manage.py import_kindergartens FILE: kindergartens from a CSV file or a workbook."""

from bulletin.importing.command import ImportCommand
from bulletin.importing.kindergartens import Kindergartens


class Command(ImportCommand):
    help = "Adds kindergartens from a file, or changes those that are there, each known by its address on the site."
    kind = Kindergartens()
