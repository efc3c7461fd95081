"""The rule for passwords: 8 to 40 characters (the manual)."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

SHORTEST, LONGEST = 8, 40


class LengthValidator:
    """Refuses passwords shorter than 8 or longer than 40 characters."""

    def validate(self, password: str, user: object = None) -> None:
        if not SHORTEST <= len(password) <= LONGEST:
            raise ValidationError(self.get_help_text(), code="password_length")

    def get_help_text(self) -> str:
        return _("The password must have 8 to 40 characters")
