"""Whether a database knows capital and small letters of Kazakh: searches of names rely on it.

On a Debian without a language (`LANG` unset) PostgreSQL makes its databases for ASCII alone.
"""

from typing import Final

from django.db.backends.base.base import BaseDatabaseWrapper

_SETTINGS: Final = """
    SELECT pg_encoding_to_char(encoding), datctype FROM pg_database WHERE datname = current_database()
"""
REMEDY: Final = (
    "DROP DATABASE …; CREATE DATABASE … OWNER … ENCODING 'UTF8' LOCALE 'C.UTF-8' TEMPLATE template0;"
)


class LettersUnknown(Exception):
    """The database was made for ASCII alone; the message says what to do."""


def demand_letters(connection: BaseDatabaseWrapper) -> None:
    """Raises LettersUnknown where the connected database can't tell capital from small letters of Kazakh."""
    with connection.cursor() as cursor:
        cursor.execute(_SETTINGS)
        encoding, letters = cursor.fetchone()
        # A server for ASCII alone takes no other letters, not even in a question.
        if encoding == "UTF8":
            cursor.execute("SELECT lower('Ә') = 'ә'")
            if cursor.fetchone() == (True,):
                return
    raise LettersUnknown(
        f"The database does not know the letters of Kazakh: its encoding is {encoding}, its locale {letters}.\n"
        f"Make it anew: {REMEDY}"
    )
