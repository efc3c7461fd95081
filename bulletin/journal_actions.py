"""What the journal can say about vacancies, pauses and reviews."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Action(models.TextChoices):
    """Registered at start-up with `accounts.journal`."""

    VACANCY_PUBLISHED = "vacancy_published", _("Vacancy published")
    VACANCY_RECALLED = "vacancy_recalled", _("Vacancy recalled")
    VACANCY_CLOSED = "vacancy_closed", _("Vacancy closed")
    VACANCY_RETURNED = "vacancy_returned", _("Vacancy no longer recalled: the closing was undone")
    PLACE_WITHDRAWN = "place_withdrawn", _("Place taken out of the vacancy: the group has no room for it")
    BIDDING_PAUSED = "bidding_paused", _("Bidding paused")
    BIDDING_RESUMED = "bidding_resumed", _("Bidding resumed")
    INCIDENT_TOLD = "incident_told", _("Incident told to everybody")
    INCIDENT_TOLD_FURTHER = "incident_told_further", _("Note about an incident told to everybody")
    CLOSING_DECIDED = "closing_decided", _("Closing of a kindergarten or group decided")
    CLOSING_MOVED = "closing_moved", _("Days of a closing changed")
    CLOSING_REOPENED = "closing_reopened", _("Closed kindergarten or group opened again")
    CLOSING_UNDONE = "closing_undone", _("Closing of a kindergarten or group undone: it was a mistake")
    DEADLINES_MOVED = "deadlines_moved", _("Deadlines of a vacancy moved by a pause")
    REVIEW_WRITTEN = "review_written", _("Review written")
    REVIEW_MODERATED = "review_moderated", _("Review moderated")
    REVIEW_ANSWERED = "review_answered", _("Review answered")
    ANSWER_CHANGED = "answer_changed", _("Answer to a review changed")
    ANSWER_WITHDRAWN = "answer_withdrawn", _("Answer to a review withdrawn")
    ANSWER_HIDDEN = "answer_hidden", _("Answer to a review hidden by an official")
    ANSWER_SHOWN = "answer_shown", _("Answer to a review shown again")
    PHOTO_SENT = "photo_sent", _("Photo of a kindergarten sent")
    PHOTO_PUBLISHED = "photo_published", _("Photo of a kindergarten published")
    PHOTO_REFUSED = "photo_refused", _("Photo of a kindergarten not published")
    PHOTO_TAKEN_DOWN = "photo_taken_down", _("Photo of a kindergarten taken down")
    FILE_LOADED = "file_loaded", _("File of the city loaded")
    FILE_UNDONE = "file_undone", _("Loaded file of the city undone")
