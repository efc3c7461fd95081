"""manage.py import_queue FILE: the queue that the city kept before the portal."""

from applications.city.queue_file import Queue
from bulletin.importing.command import ImportCommand


class Command(ImportCommand):
    help = "Brings in the former queue: each child waits at its old date until its family claims the application."
    kind = Queue()
