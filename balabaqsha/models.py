"""What the portal knows about itself: which processes are alive, which sweep ran when, and what stood still."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q


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
    # How many faults it found, where it looks for some.
    faults = models.PositiveIntegerField(null=True)

    def __str__(self) -> str:
        return self.task


class Incident(models.Model):
    """A time in which a part of the portal stood still; the portal notes it itself, and everybody can read it."""

    class Part(models.TextChoices):
        MESSAGES = "messages", "messages"
        WORK = "work", "work"

    part = models.CharField(max_length=10, choices=Part.choices)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["part"], condition=Q(ended_at=None), name="one_running_incident_of_a_part"
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None) | Q(ended_at__gte=F("started_at")),
                name="incident_ends_after_start",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.part} {self.started_at:%Y-%m-%d %H:%M}"
