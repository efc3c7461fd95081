"""manage.py import_enrolled FILE: how many children are in which group, from a CSV file or a workbook."""

from applications.city.enrolled import Enrolled
from bulletin.importing.command import ImportCommand


class Command(ImportCommand):
    help = "Counts the children of each group in a file, one row a child. Needs --by: the official whose count it is."
    kind = Enrolled()
