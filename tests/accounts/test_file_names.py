"""Names of files: the sender's words, the true ending, nothing that deceives."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.file_names import LONGEST_NAME, name_for_people
from accounts.safe_copy import FileType


@pytest.mark.parametrize(
    ("original", "expected"),
    [
        ("анықтама.pdf", "анықтама.pdf"),
        ("анықтама.PDF", "анықтама.pdf"),
        ("анықтама.jpg", "анықтама.pdf"),
        ("IMG_0123.HEIC", "IMG_0123.pdf"),
        ("мен.exe", "мен.pdf"),
        ("анықтама", "анықтама.pdf"),
        ("Анықтама №5. Айдана", "Анықтама №5. Айдана.pdf"),
        ("scan.2", "scan.2.pdf"),
        ("a.tar.gz", "a.tar.pdf"),
        ("../../etc/passwd", "passwd.pdf"),
        (r"C:\Users\Айдана\скан.docx", "скан.pdf"),
        ("", "file.pdf"),
        (".pdf", "file.pdf"),
        (" . . ", "file.pdf"),
        ("a\r\nSet-Cookie: x.pdf", "a Set-Cookie: x.pdf"),
        # Turned from right to left it would read "fdp.exe".
        ("\u202eexe.pdf", "exe.pdf"),
        ("а\u200bб\u0000в.pdf", "а б в.pdf"),
        ("а" * 500 + ".jpeg", "а" * 146 + ".pdf"),
    ],
)
def test_a_name(original, expected):
    assert name_for_people(original, FileType.PDF) == expected


@given(original=st.text(max_size=400), file_type=st.sampled_from(FileType))
def test_any_name_fits_and_tells_the_type(original, file_type):
    name = name_for_people(original, file_type)
    assert len(name) <= LONGEST_NAME
    assert name.endswith(f".{file_type}")
    assert len(name) > len(file_type) + 1
    assert name.isprintable()
    assert "/" not in name
    assert "\\" not in name


@given(original=st.text(max_size=400))
def test_a_name_stays_what_it_has_become(original):
    name = name_for_people(original, FileType.JPEG)
    assert name_for_people(name, FileType.JPEG) == name
