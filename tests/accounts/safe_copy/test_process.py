"""The process that decodes may die, hang, lie or grow: the sender reads a sentence, and the next one has a turn."""

import io
import json
import os
import resource
import threading

import pytest
from PIL import Image

from accounts.safe_copy import MOST_KEPT, Cause, Copy, FileType, Kind, Part, Refused, process
from accounts.safe_copy.__main__ import LIMITS
from tests.accounts.safe_copy.pdfs import pdf

MOST = 40_000_000
JPEG = b"\xff\xd8\xff"


def picture(**options: object) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (60, 40), "red").save(buffer, "JPEG", **options)
    return buffer.getvalue()


def copy(content: bytes = b"", *, kind: Kind = Kind.DOCUMENT, seconds: float = 20.0) -> Copy:
    with process.turn(seconds=seconds) as turn:
        return process.safe_copy(content, kind=kind, most_pixels=MOST, turn=turn)


def refusal(content: bytes = b"", **options) -> Cause:
    with pytest.raises(Refused) as caught:
        copy(content, **options)
    return caught.value.cause


@pytest.fixture
def program(monkeypatch):
    """Let something else run in the place of what decodes."""

    def instead(code: str) -> None:
        monkeypatch.setattr(process, "PROGRAM", ["-c", code])

    return instead


def says(answer: object, content: bytes = b"") -> str:
    said = json.dumps(answer).encode() + b"\n" + content
    return f"import sys; sys.stdout.buffer.write({said!r})"


def decodes_as(body: str) -> str:
    """The real program, whose decoder is `body`."""
    return f"""
import resource, time
import accounts.safe_copy.__main__ as program

def make_copy(content, *, kind, most_pixels):
    {body}

program.make_copy = make_copy
program.LIMITS[resource.RLIMIT_CPU] = 1
program.main(["document", "1"])
"""


@pytest.mark.parametrize(
    ("content", "kind", "expected"),
    [
        (picture(), Kind.PHOTO, FileType.JPEG),
        (picture(), Kind.DOCUMENT, FileType.JPEG),
        (picture(comment=b"%PDF-1.7 %%EOF"), Kind.DOCUMENT, FileType.JPEG),
        (pdf(), Kind.DOCUMENT, FileType.PDF),
        (b"junk in front\n" + pdf(), Kind.DOCUMENT, FileType.PDF),
    ],
)
def test_a_copy(content, kind, expected):
    assert copy(content, kind=kind).file_type is expected


def test_what_was_left_out_comes_along():
    assert copy(pdf(root=b"/OpenAction << /S /JavaScript /JS (x) >>")).left_out == {Part.SCRIPTS}


@pytest.mark.parametrize(
    ("content", "kind", "cause"),
    [
        (pdf(), Kind.PHOTO, Cause.UNKNOWN_TYPE),
        (b"", Kind.DOCUMENT, Cause.UNKNOWN_TYPE),
        (b"MZ", Kind.PHOTO, Cause.UNKNOWN_TYPE),
        (b"%PDF-1.4 garbage %%EOF", Kind.DOCUMENT, Cause.DAMAGED),
    ],
)
def test_what_decoders_refuse(content, kind, cause):
    assert refusal(content, kind=kind) is cause


def test_who_hangs_is_ended_at_the_deadline(program, tmp_path):
    mark = tmp_path / "pid"
    program(f"import os, time; open({str(mark)!r}, 'w').write(str(os.getpid())); time.sleep(600)")
    assert refusal(seconds=2.0) is Cause.TOO_COMPLEX
    with pytest.raises(ProcessLookupError):
        os.kill(int(mark.read_text()), 0)


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", Cause.TOO_COMPLEX),
        ("import os, signal; os.kill(os.getpid(), signal.SIGXCPU)", Cause.TOO_COMPLEX),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", Cause.DAMAGED),
        ("import os; os.abort()", Cause.DAMAGED),
        ("raise SystemExit(1)", Cause.DAMAGED),
        ("import no_such_module", Cause.DAMAGED),
    ],
)
def test_who_dies(program, code, cause):
    program(code)
    assert refusal() is cause


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("pass", id="nothing"),
        pytest.param("print('x' * 100_000)", id="no JSON"),
        pytest.param("import sys; sys.stdout.buffer.write(bytes(range(256)) * 100)", id="bytes"),
        pytest.param("print('[' * 1_000)", id="brackets"),
        pytest.param(says([]), id="a list"),
        pytest.param(says("refused"), id="a string"),
        pytest.param(says(7), id="a number"),
        pytest.param(says({}), id="nothing in it"),
        pytest.param(says({"refused": "whim"}), id="an unknown cause"),
        pytest.param(says({"refused": {}}), id="a cause of another kind"),
        pytest.param(says({"copy": "exe", "left_out": [], "size": [1, 1]}, b"MZ"), id="an unknown type"),
        pytest.param(says({"copy": "jpg", "left_out": ["x"], "size": [1, 1]}, JPEG), id="an unknown part"),
        pytest.param(says({"copy": "jpg", "left_out": None, "size": [1, 1]}, JPEG), id="no parts"),
        pytest.param(says({"copy": "jpg"}, JPEG), id="a part of an answer"),
        pytest.param(says({"copy": "jpg", "left_out": []}, JPEG), id="no size"),
        pytest.param(says({"copy": "jpg", "left_out": [], "size": [1]}, JPEG), id="half a size"),
        pytest.param(says({"copy": "jpg", "left_out": [], "size": [1, 40_000]}, JPEG), id="a size too large"),
        pytest.param(says({"copy": "jpg", "left_out": [], "size": [-1, 1]}, JPEG), id="a size below nothing"),
        pytest.param(says({"copy": "jpg", "left_out": [], "size": [1, 1]}), id="no copy"),
        pytest.param(says({"copy": "jpg", "left_out": [], "size": [1, 1]}, b"<script>"), id="another type"),
        pytest.param(
            says({"copy": "pdf", "left_out": [], "size": [1, 1]}, JPEG), id="one type called another"
        ),
        pytest.param(
            says({"copy": "jpg", "left_out": [], "size": [1, 1]}, JPEG)
            + f"; sys.stdout.buffer.write(bytes({MOST_KEPT}))",
            id="too much",
        ),
    ],
)
def test_who_answers_nonsense_is_not_believed(program, code):
    program(code)
    assert refusal() is Cause.DAMAGED


def test_who_is_well_behaved_is_believed(program):
    """The control of what is not."""
    program(says({"copy": "jpg", "left_out": ["scripts"], "size": [1, 1]}, JPEG))
    assert copy() == Copy(
        content=JPEG, file_type=FileType.JPEG, left_out=frozenset({Part.SCRIPTS}), size=(1, 1)
    )


def test_memory_has_a_limit(program):
    program(decodes_as("return len(bytearray(2 << 30))"))
    assert refusal() is Cause.TOO_COMPLEX


def test_time_has_a_limit(program):
    program(decodes_as("while True: pass"))
    with process.turn(seconds=600.0) as turn:
        with pytest.raises(Refused) as caught:
            process.safe_copy(b"", kind=Kind.DOCUMENT, most_pixels=MOST, turn=turn)
        assert caught.value.cause is Cause.TOO_COMPLEX
        # Its time was over long before that of the turn, which is the last resort.
        assert turn.left > 0.0


def test_what_is_written_has_a_limit(program):
    program(decodes_as("from accounts.safe_copy import Copy; return Copy(bytes(64 << 20), 'jpg')"))
    assert refusal() is Cause.DAMAGED


def test_a_mistake_of_ours_is_a_refusal(program):
    program(decodes_as("return 1 / 0"))
    assert refusal() is Cause.DAMAGED


def test_it_gives_everything_up_before_it_decodes(program):
    program(
        decodes_as(
            "assert all(resource.getrlimit(each) == (most, most) for each, most in program.LIMITS.items());"
            "raise program.Refused(program.Cause.BUSY)"
        )
    )
    assert refusal() is Cause.BUSY
    assert {resource.RLIMIT_AS, resource.RLIMIT_CPU, resource.RLIMIT_FSIZE, resource.RLIMIT_CORE} <= set(
        LIMITS
    )


def test_no_secret_comes_along(program, monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "secret")
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    program("import os; print(os.environ.keys() - {'LC_CTYPE'} and 'secrets' or '{\"refused\": \"busy\"}')")
    assert refusal() is Cause.BUSY


def test_nothing_that_is_open_comes_along(program, tmp_path):
    with (tmp_path / "database").open("w") as opened:
        os.set_inheritable(opened.fileno(), True)
        program(
            f"""
import os
try:
    os.fstat({opened.fileno()})
except OSError:
    print('{{"refused": "busy"}}')
"""
        )
        assert refusal() is Cause.BUSY


def test_where_no_process_can_be_started(monkeypatch):
    monkeypatch.setattr(process.sys, "executable", "/nowhere/python")
    assert refusal(picture()) is Cause.BUSY


class TestTurns:
    def test_one_waits_for_another_only_so_long(self, monkeypatch):
        monkeypatch.setattr(process, "TURN_SECONDS", 0.01)
        taken = [process._turns.acquire(blocking=False) for _each in range(process.AT_ONCE)]
        assert all(taken)
        try:
            assert refusal(picture()) is Cause.BUSY
        finally:
            for _each in taken:
                process._turns.release()
        assert copy(picture()).file_type is FileType.JPEG

    def test_whatever_happens_the_next_one_has_a_turn(self, program, monkeypatch):
        monkeypatch.setattr(process, "TURN_SECONDS", 0.0)
        for code in (
            "raise SystemExit(1)",
            "print(1)",
            "import time; time.sleep(600)",
            says({"refused": "damaged"}),
        ):
            program(code)
            refusal(seconds=1.0)
        monkeypatch.undo()
        assert copy(picture()).file_type is FileType.JPEG

    def test_never_more_at_once_than_is_said(self, monkeypatch):
        monkeypatch.setattr(process, "TURN_SECONDS", 60.0)
        counting, running, most = threading.Lock(), 0, 0
        real = process._run

        def watched(*args, **options):
            nonlocal running, most
            with counting:
                running += 1
                most = max(most, running)
            real(*args, **options)
            with counting:
                running -= 1

        monkeypatch.setattr(process, "_run", watched)
        made: list[Copy] = []
        threads = [
            threading.Thread(target=lambda: made.append(copy(picture(), seconds=60.0))) for _each in range(5)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(made) == 5
        assert most == process.AT_ONCE


class TestDeadline:
    def test_it_is_one_for_all(self, program):
        """What the first file took is missing for the second."""
        program("import time; time.sleep(600)")
        with process.turn(seconds=1.0) as turn:
            for _file in range(3):
                with pytest.raises(Refused):
                    process.safe_copy(b"", kind=Kind.DOCUMENT, most_pixels=MOST, turn=turn)
            assert turn.left == 0.0
