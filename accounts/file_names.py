"""Names of files as people read them: the sender's words with the ending of what the file really is."""

import re
import unicodedata
from typing import Final

from accounts.safe_copy import FileType

# As many characters as the database keeps.
LONGEST_NAME: Final = 150
ENDING: Final = re.compile(r"\.[A-Za-z][A-Za-z0-9]{1,4}$")


def name_for_people(original: str, file_type: FileType) -> str:
    """`original` without its folders, its ending and signs that turn or hide what is read, then the true ending.

    At most `LONGEST_NAME` characters; of a longer one the beginning and the ending stay.
    """
    name = original.replace("\\", "/").rpartition("/")[2]
    plain = "".join(sign if unicodedata.category(sign)[0] != "C" else " " for sign in name)
    stem = ENDING.sub("", " ".join(plain.split()))
    ending = f".{file_type}"
    return (stem[: LONGEST_NAME - len(ending)].strip(" .") or "file") + ending
