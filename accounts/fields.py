"""A model field whose value is encrypted in the database."""

from typing import Any

from django.db import models

from accounts import crypto


class EncryptedTextField(models.TextField):  # type: ignore[type-arg]
    """Text that is encrypted on its way to the database and decrypted on its way back.

    It can't be searched: store a keyed hash (`accounts.crypto.keyed_hash`) beside it.
    """

    def get_prep_value(self, value: Any) -> Any:
        return crypto.encrypt(value) if value else value

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> str | None:
        return crypto.decrypt(value) if value else value
