"""manage.py import_staff FILE: employees from a CSV file or a workbook."""

from bulletin.importing.command import ImportCommand
from bulletin.importing.staff import Staff


class Command(ImportCommand):
    help = "Adds employees from a file and gives their one-time links, or changes those that are there."
    kind = Staff()
