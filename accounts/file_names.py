"""File names as people read them: the sender's words with the ending of the file's real type."""

import re
import unicodedata
from typing import Final

from accounts.safe_copy import FileType

# As many characters as the database keeps.
LONGEST_NAME: Final = 150
ENDING: Final = re.compile(r"\.[A-Za-z][A-Za-z0-9]{1,4}$")


def name_for_people(original: str, file_type: FileType) -> str:
    """`original` without folders, its ending, or characters that reverse or hide text; then the true ending.

    At most `LONGEST_NAME` characters; a longer name keeps its beginning and its ending.
    """
    name = original.replace("\\", "/").rpartition("/")[2]
    plain = "".join(sign if unicodedata.category(sign)[0] != "C" else " " for sign in name)
    stem = ENDING.sub("", " ".join(plain.split()))
    ending = f".{file_type}"
    return (stem[: LONGEST_NAME - len(ending)].strip(" .") or "file") + ending
