"""manage.py import_vacancies FILE: drafts of vacancies from a CSV file or a workbook."""

from applications.city.vacancies import Vacancies
from bulletin.importing.command import ImportCommand


class Command(ImportCommand):
    help = "Adds drafts of vacancies from a file; nothing is published."
    kind = Vacancies()
