"""What the portal knows about its own processes: which are alive, and which sweep ran when."""

from django.contrib.postgres.fields import ArrayField
from django.db import models


class Heartbeat(models.Model):
    """The last sign of life of a beat or a worker, by the database's clock (`balabaqsha.health.heartbeats`)."""

    class Role(models.TextChoices):
        BEAT = "beat", "beat"
        WORKER = "worker", "worker"

    name = models.CharField(max_length=200, primary_key=True)
    role = models.CharField(max_length=10, choices=Role.choices)
    # From which a worker takes its tasks.
    queues = ArrayField(models.TextField(), default=list, db_default=[])
    seen_at = models.DateTimeField()
    # By how many seconds its machine's clock is ahead of the database's.
    clock_ahead = models.FloatField()

    def __str__(self) -> str:
        return self.name


class Sweep(models.Model):
    """A task of the beat's schedule: when it last ran to its end, and since when it is on the schedule."""

    task = models.CharField(max_length=200, primary_key=True)
    known_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.task
