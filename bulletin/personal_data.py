"""The reviews of somebody who closes their account."""

from datetime import datetime

from django.utils.translation import gettext as _

from accounts.data.parts import Part
from accounts.data.sections import Section
from accounts.models import User
from bulletin.models import Review


class Reviews(Part):
    code = "reviews"

    def losses(self, user: User, *, now: datetime) -> list[str]:
        if not Review.objects.filter(author=user).exists():
            return []
        return [_("Your reviews that are not published are erased.")]

    def stays(self, user: User, *, now: datetime) -> list[str]:
        if not Review.objects.filter(author=user, state=Review.State.PUBLISHED).exists():
            return []
        return [_("Your published reviews stay, without the initial of your name: others rely on them.")]

    def sections(self) -> list[Section]:
        return [
            Section(
                "reviews",
                Review,
                lambda user: Review.objects.filter(author=user),
                (
                    "kindergarten",
                    "text",
                    "answer",
                    "answer_language",
                    "answered_at",
                    "state",
                    "moderation_reason",
                    "created_at",
                    "moderated_at",
                ),
                people=("author", "moderated_by", "answered_by"),
                left_out={
                    "id": "a number of the row",
                    "answer_hidden_at": "of employees",
                    "answer_hidden_reason": "of employees",
                },
            )
        ]

    def forget(self, user: User, *, now: datetime) -> None:
        Review.objects.filter(author=user).exclude(state=Review.State.PUBLISHED).delete()
        Review.objects.filter(author=user).update(author=None)
