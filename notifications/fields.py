"""Model fields whose values are encrypted in the database."""

from typing import Any

from cryptography.fernet import InvalidToken
from django.db import models

from notifications import cipher


class EncryptedTextField(models.TextField):  # type: ignore[type-arg]
    """Text that is encrypted on its way to the database and decrypted on its way back.

    It can't be searched: store a keyed hash beside it where it must be found again.
    """

    def get_prep_value(self, value: Any) -> Any:
        return cipher.encrypt(value) if value else value

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> str | None:
        return cipher.decrypt(value) if value else value


class PatientEncryptedTextField(EncryptedTextField):
    """The same, but None if no present key decrypts it, so that one bad row does not break reading many."""

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> str | None:
        try:
            return super().from_db_value(value, expression, connection)
        except InvalidToken:
            return None
