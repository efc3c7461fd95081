"""The portal's web server under those who send slowly, too much, or nothing, and HTTP as it is spoken."""

import contextlib
import hashlib
import json
import os
import signal
import socket
from pathlib import Path
from urllib.parse import quote

import pytest

from balabaqsha.serving import bodies, lanes
from balabaqsha.serving.contract import HEALTH_PATH, PAGE_THREADS
from tests.balabaqsha.serving.application import LARGEST, STREAMED
from tests.balabaqsha.serving.conftest import read_all, read_answer
from tests.patience import PATIENCE, until

GET = b"GET /page/ HTTP/1.1\r\nHost: localhost\r\n\r\n"
# More than there are threads, in all processes that a test starts.
CROWD = 4 * (PAGE_THREADS + lanes.PASSWORD_THREADS)


def post(path="/page/", *, body=b"", length=None, headers=b""):
    length = len(body) if length is None else length
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n".encode()
    return head + headers + b"\r\n" + body


def facts(answer):
    return json.loads(answer.partition(b"\r\n\r\n")[2])


def exchange(served, request):
    with served.connect() as connection:
        connection.sendall(request)
        return read_answer(connection)


def status(answer):
    return int(answer.split(b" ", 2)[1])


@pytest.fixture
def crowd(request):
    """Sockets that are closed at the end."""
    with contextlib.ExitStack() as stack:
        yield lambda served: stack.enter_context(served.connect())


class TestSlowBodies:
    @pytest.mark.parametrize(
        "sent", [post(length=100), post(body=b"pass", length=100)], ids=["none", "a part"]
    )
    def test_bodies_that_never_come_hold_no_thread(self, served, crowd, sent):
        for _ in range(CROWD):
            crowd(served).sendall(sent)
        assert status(exchange(served, GET)) == 200

    def test_chunks_that_never_come_hold_no_thread(self, served, crowd):
        for _ in range(CROWD):
            crowd(served).sendall(
                b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n"
            )
        assert status(exchange(served, GET)) == 200

    def test_two_hundred_sockets_that_drip_hold_no_thread(self, served, crowd):
        dripping = [crowd(served) for _ in range(200)]
        for connection in dripping:
            connection.sendall(post(length=60))
        for _ in range(3):
            for connection in dripping:
                connection.sendall(b"a")
            assert status(exchange(served, GET)) == 200

    def test_who_is_too_slow_is_told_so_and_the_view_is_not_called(self, serve):
        served = serve(prelude="bodies.GRACE_SECONDS = 0.3")
        answer = served.ask(post("/page/", body=b"password=", length=100))
        assert b"turned away: slow" in answer
        assert b"connection: close" in answer.lower()
        assert served.called == []

    def test_a_drip_does_not_lengthen_the_time(self, serve):
        """The time is one for the whole body, not one for each piece of it."""
        served = serve(prelude="bodies.GRACE_SECONDS = 1")
        with served.connect() as connection:
            connection.sendall(post(length=bodies.SMALL_BYTES))
            connection.settimeout(0.1)
            answers = []

            def is_answered():
                try:
                    answers.append(connection.recv(1000))
                except TimeoutError:
                    connection.sendall(b"a")
                return answers

            until(is_answered)
        assert b"turned away: slow" in answers[0]

    def test_the_time_grows_with_what_is_announced(self):
        assert bodies.seconds_for(0) == bodies.GRACE_SECONDS
        assert bodies.seconds_for(10 * bodies.BYTES_A_SECOND) == bodies.GRACE_SECONDS + 10

    def test_a_sender_who_goes_away_reaches_no_view(self, served):
        for sent in (
            post(body=b"a=1&b=2", length=100),
            b"POST /page/ HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n7\r\na=1&b=2\r\n",
            post("/files/", body=b"a" * 100_000, length=200_000),
        ):
            with served.connect() as connection:
                connection.sendall(sent)
                connection.shutdown(socket.SHUT_WR)
                read_all(connection)
        assert status(exchange(served, GET)) == 200
        assert served.called == ["/page/"]


class TestSizes:
    def test_what_is_too_large_is_refused_before_it_is_read(self, served):
        """150 MB are announced, none of them is sent: the answer comes all the same."""
        answer = served.ask(post(length=150_000_000))
        assert status(answer) == 413
        assert served.called == []

    @pytest.mark.parametrize("length", [bodies.SMALL_BYTES, 0, 1])
    def test_any_page_takes_a_small_body(self, served, length):
        body = os.urandom(length)
        answer = facts(exchange(served, post(body=body)))
        assert (answer["length"], answer["hash"]) == (length, hashlib.sha256(body).hexdigest())

    def test_one_byte_more_is_asked_about(self, served):
        assert status(served.ask(post(length=bodies.SMALL_BYTES + 1))) == 413
        assert status(served.ask(post("/for-others/", length=bodies.SMALL_BYTES + 1))) == 302
        assert served.called == []

    def test_a_page_with_files_takes_what_it_said(self, served):
        body = os.urandom(LARGEST)
        answer = facts(exchange(served, post("/files/", body=body)))
        assert (answer["length"], answer["hash"]) == (LARGEST, hashlib.sha256(body).hexdigest())
        assert b"turned away: large" in served.ask(post("/files/", length=LARGEST + 1))

    def test_an_account_sends_one_at_a_time(self, serve, crowd):
        served = serve()
        request = post("/files/", length=100_000, headers=b"Cookie: one\r\n")
        for _ in range(bodies.LARGE_OF_ONE_ACCOUNT):
            crowd(served).sendall(request)
        # The first may be asked about after the other: then that one waits for a body that does not come.
        answers = []

        def is_answered():
            other = crowd(served)
            other.settimeout(1)
            other.sendall(request)
            with contextlib.suppress(TimeoutError):
                answers.append(read_answer(other))
            return answers

        until(is_answered)
        assert b"turned away: crowded" in answers[0]
        body = b"a" * 100_000
        assert status(exchange(served, post("/files/", body=body, headers=b"Cookie: two\r\n"))) == 200

    def test_so_many_at_once_and_the_room_is_given_back(self):
        large = bodies.LargeBodies()
        with contextlib.ExitStack() as stack:
            for number in range(bodies.LARGE_AT_ONCE):
                stack.enter_context(large.one_more(str(number)))
            with pytest.raises(bodies.Refused), large.one_more("another"):
                pass
        for _ in range(3):
            with contextlib.ExitStack() as stack:
                for account in ("0", "another"):
                    stack.enter_context(large.one_more(account))
                with pytest.raises(bodies.Refused):
                    stack.enter_context(large.one_more("0"))

    def test_chunks_are_put_together(self, served):
        chunks = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in (b"a=1&", b"b=", b"2" * 1000))
        request = b"POST /page/ HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        answer = facts(exchange(served, request + chunks + b"0\r\n\r\n"))
        assert answer["length"] == 1006
        assert answer["environ"]["CONTENT_LENGTH"] == "1006"

    @pytest.mark.parametrize(
        ("piece", "times", "told"),
        [(b"a" * 10_000, 10, b"large"), (b"a", 3000, b"slow")],
        ids=["much", "crumbs"],
    )
    def test_chunks_without_end_are_refused(self, served, piece, times, told):
        request = b"POST /page/ HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        answer = served.ask(request + (b"%x\r\n%s\r\n" % (len(piece), piece)) * times)
        assert b"turned away: " + told in answer
        assert served.called == []

    def test_who_asks_first_is_told_to_go_on_or_not_to(self, served):
        expect = b"Expect: 100-continue\r\n"
        with served.connect() as connection:
            connection.sendall(post(length=3, headers=expect))
            assert connection.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
            connection.sendall(b"abc")
            assert facts(read_answer(connection))["length"] == 3
        assert served.ask(post(length=10**9, headers=expect)).startswith(b"HTTP/1.1 413")


class TestLanes:
    def fill(self, served, crowd, *, body, times):
        for _ in range(times):
            crowd(served).sendall(post("/hold/", body=body))
        return served

    def test_who_signs_in_holds_no_page(self, serve, crowd):
        served = serve()
        self.fill(served, crowd, body=b"phone=1&password=x", times=CROWD)
        served.wait_until_called("/hold/", times=lanes.PASSWORD_THREADS)
        assert status(exchange(served, GET)) == 200
        assert served.called.count("/hold/") == lanes.PASSWORD_THREADS

    @pytest.mark.parametrize("length", [100, 100_000])
    def test_who_sends_files_holds_no_page_and_no_sign_in(self, serve, crowd, length):
        """A small one too: what takes long to read may be small."""
        served = serve()
        body = b"a" * length
        for number in range(CROWD):
            files = f"Content-Type: Multipart/form-data; boundary=b\r\nCookie: {number}\r\n".encode()
            crowd(served).sendall(post("/files/hold/", body=body, headers=files))
        served.wait_until_called("/files/hold/", times=lanes.FILE_THREADS)
        for _ in range(CROWD):
            assert status(exchange(served, GET)) == 200
            assert status(exchange(served, post(body=b"password=x"))) == 200
        assert served.called.count("/files/hold/") == lanes.FILE_THREADS

    def test_who_waits_too_long_with_files_is_told_so(self, serve, crowd):
        served = serve(prelude="lanes.FILE_SECONDS = 0.5")
        files = b"Content-Type: multipart/form-data; boundary=b\r\n"
        for _ in range(lanes.FILE_THREADS):
            crowd(served).sendall(post("/files/hold/", body=b"a", headers=files))
        served.wait_until_called("/files/hold/", times=lanes.FILE_THREADS)
        assert b"turned away: crowded" in exchange(served, post(body=b"a", headers=files))
        assert served.called.count("/page/") == 0

    def test_health_is_told_while_every_page_hangs(self, serve, crowd):
        served = serve()
        held = GET.replace(b"/page/", b"/hold/")
        for _ in range(CROWD):
            crowd(served).sendall(held)
        served.wait_until_called("/hold/", times=PAGE_THREADS)
        assert status(exchange(served, GET.replace(b"/page/", HEALTH_PATH.encode()))) == 200
        assert served.called.count("/hold/") == PAGE_THREADS

    def test_a_full_line_is_said_at_once_and_the_form_is_there(self, serve, crowd):
        served = serve(prelude="lanes.PASSWORDS_WAITING = 3")
        self.fill(served, crowd, body=b"password=x", times=lanes.PASSWORD_THREADS + 3)
        served.wait_until_called("/hold/", times=lanes.PASSWORD_THREADS)
        until(lambda: b"turned away: passwords phone=7&password=y" in one_more(served))

    def test_who_waited_too_long_is_told_so(self, serve, crowd):
        served = serve(prelude="lanes.PASSWORD_SECONDS = 0.5")
        self.fill(served, crowd, body=b"password=x", times=lanes.PASSWORD_THREADS)
        served.wait_until_called("/hold/", times=lanes.PASSWORD_THREADS)
        answer = exchange(served, post("/page/", body=b"phone=7&password=y"))
        assert b"turned away: passwords phone=7&password=y" in answer
        served.release()
        # Until a thread has taken note of it, one more may wait too long.
        until(lambda: status(exchange(served, post("/page/", body=b"phone=7&password=y"))) == 200)
        assert served.called.count("/page/") == 1


def is_open(connection):
    try:
        connection.send(b"\r\n")
    except ConnectionError:
        return False
    return True


def one_more(served):
    """What the line says to one more; nothing where it has waited for a moment."""
    with served.connect(timeout=0.5) as connection:
        connection.sendall(post("/hold/", body=b"phone=7&password=y"))
        with contextlib.suppress(TimeoutError):
            return read_answer(connection)
    return b""


class TestHttp:
    def test_the_environment(self, served):
        request = (
            "POST /%D2%9B%20%2Fa/%FF?q=%D2%9B&b=1 HTTP/1.1\r\nHost: bala.example:8000\r\nContent-Length: 2\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\nCookie: a=1\r\nCookie: b=2\r\n"
            "X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-For: 198.51.100.7\r\nX_Forwarded_For: 192.0.2.1\r\n\r\nab"
        )
        environ = facts(exchange(served, request.encode()))["environ"]
        path = environ["PATH_INFO"].encode("latin-1").decode()
        assert path.startswith("/қ /a/")
        expected = {
            "REQUEST_METHOD": "POST", "QUERY_STRING": "q=%D2%9B&b=1", "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1", "SERVER_NAME": "127.0.0.1", "SERVER_PORT": str(served.port),
            "HTTP_HOST": "bala.example:8000", "CONTENT_LENGTH": "2", "wsgi.url_scheme": "http", "SCRIPT_NAME": "",
            "CONTENT_TYPE": "application/x-www-form-urlencoded", "HTTP_COOKIE": "a=1; b=2",
            "HTTP_X_FORWARDED_FOR": "203.0.113.9,198.51.100.7",
        }  # fmt: skip
        assert {key: environ.get(key) for key in expected} == expected

    def test_the_environment_of_the_process_stays_inside(self, served):
        assert "TEST_FOLDER" not in facts(exchange(served, GET))["environ"]

    def test_a_head_has_no_body(self, served):
        answer = served.ask(b"HEAD /page/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert status(answer) == 200
        assert answer.endswith(b"\r\n\r\n")
        assert b"content-length: " in answer.lower()

    def test_old_http(self, served):
        answer = served.ask(b"GET /page/ HTTP/1.0\r\n\r\n")
        assert facts(answer)["environ"]["SERVER_PROTOCOL"] == "HTTP/1.0"

    def test_requests_that_come_together_are_answered_in_turn(self, served):
        with served.connect() as connection:
            connection.sendall(b"".join(GET.replace(b"page", b"page-%d" % n) for n in range(5)))
            got = b""
            while got.count(b"HTTP/1.1 200") < 5 or not got.endswith(b"}"):
                got += connection.recv(65536)
        assert [got.index(b"/page-%d/" % n) for n in range(5)] == sorted(
            got.index(b"/page-%d/" % n) for n in range(5)
        )

    @pytest.mark.parametrize(
        "request_",
        [
            b"GET /page/ HTTP/1.1\r\nHost localhost\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
            b"POST /page/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
            b"POST /page/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
            b"POST /page/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999\r\n\r\n",
        ],
    )
    def test_what_is_no_http_is_answered_before_us(self, served, request_):
        assert served.ask(request_).startswith(b"HTTP/1.1 400")
        assert served.called == []
        assert "Traceback" not in served.log.read_text()

    def test_of_two_lengths_the_chunks_decide(self, served):
        """Else a proxy that believes the other one would take the rest of a body for somebody's request."""
        request = (
            b"POST /page/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n"
            b"Connection: close\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
        )
        answer = served.ask(request)
        assert status(answer) == 400 or facts(answer)["environ"]["CONTENT_LENGTH"] == "5"
        assert served.called.count("/page/") <= 1

    def test_a_stream_comes_whole(self, served):
        answer = served.ask(b"GET /stream/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        head, _, chunked = answer.partition(b"\r\n\r\n")
        assert b"transfer-encoding: chunked" in head.lower()
        for number in (0, STREAMED // 2, STREAMED - 1):
            assert chunked.count(bytes([number])) >= 50_000
        assert chunked.endswith(b"0\r\n\r\n")

    def test_a_file_comes_whole(self, served, tmp_path):
        path, content = tmp_path / "file", os.urandom(2_500_000)
        path.write_bytes(content)
        request = f"GET /file/?{path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
        assert exchange(served, request).partition(b"\r\n\r\n")[2] == content

    @pytest.mark.parametrize("path", ["/stream/", "/file/?{file}"])
    def test_readers_that_do_not_read_hold_no_thread(self, serve, crowd, tmp_path, path):
        file = tmp_path / "file"
        file.write_bytes(bytes(30_000_000))
        served = serve()
        for _ in range(CROWD):
            crowd(served).sendall(
                f"GET {path.format(file=file)} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
            )
        served.wait_until_called(path.partition("?")[0], times=CROWD)
        assert status(exchange(served, GET)) == 200

    def test_a_reader_that_reads_nothing_is_given_up(self, serve, crowd, tmp_path):
        """Otherwise its connection and its answer would be kept for as long as it likes."""
        file = tmp_path / "file"
        file.write_bytes(bytes(30_000_000))
        served = serve(prelude="from balabaqsha.serving import sockets; sockets.SILENT_SECONDS = 1")
        # The options are set by the loop that answers: who connects before it runs is not bound by them.
        assert status(exchange(served, GET)) == 200
        connection = crowd(served)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.sendall(f"GET /file/?{file} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        served.wait_until_called("/file/", times=1)
        # It ends without a word; who sends something then is told.
        until(lambda: not is_open(connection))

    def test_an_error_of_the_application_is_a_500_and_in_the_log(self, serve):
        served = serve()
        for query in (b"", b"?stop", b"?exit") * CROWD:
            assert status(exchange(served, GET.replace(b"page/", b"fail/" + query))) == 500
        assert served.log.read_text().count("on purpose") >= 3 * CROWD
        assert status(exchange(served, GET)) == 200

    def test_every_answer_is_in_the_access_log(self, serve):
        served = serve(prelude="bodies.GRACE_SECONDS = 0.2")
        exchange(served, GET)
        served.ask(post("/never/", length=5))
        until(lambda: '"POST /never/ HTTP/1.1" 503' in served.log.read_text(), served.log.read_text)
        assert '127.0.0.1 - "GET /page/ HTTP/1.1" 200' in served.log.read_text()

    def test_a_path_makes_no_lines_of_its_own_in_it(self, serve):
        served = serve()
        forged = '\n[2026-01-01 00:00:00 +0500] 127.0.0.1 - "GET /forged/ HTTP/1.1" 200 1.0\r\0\x1b[31m\u2028'
        hostile = quote(forged, safe="/:+")
        for path in (f"/page/{hostile}", f"/page/{'x' * 3000}", "/page/%D2%9B%22%25"):
            served.ask(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        exchange(served, post("/page/"))
        until(lambda: '"POST /page/' in served.log.read_text(), served.log.read_text)
        lines = [line for line in served.log.read_text().split("\n") if "/page/" in line]
        assert all(line.startswith("[") and line.isprintable() and line.count('"') == 2 for line in lines)
        asked = [line.split('"')[1].split()[1] for line in lines]
        assert asked[:3] == [f"/page/{hostile}", f"/page/{'x' * 3000}"[:512], "/page/%D2%9B%22%25"]


class TestProcesses:
    def test_what_has_begun_is_answered_before_the_end(self, serve, crowd):
        served = serve()
        connection = crowd(served)
        connection.sendall(GET.replace(b"page", b"hold"))
        served.wait_until_called("/hold/", times=1)
        served.process.send_signal(signal.SIGTERM)
        until(lambda: "Stopping worker" in served.log.read_text(), served.log.read_text)
        served.release()
        assert read_answer(connection).endswith(b"released")
        assert served.process.wait(PATIENCE) == 0

    def test_a_dead_worker_is_replaced(self, serve):
        served = serve()
        [worker] = children(served.process.pid)
        os.kill(worker, signal.SIGKILL)
        until(lambda: answers(served))
        assert children(served.process.pid) != [worker]


def answers(served):
    with contextlib.suppress(OSError, AssertionError):
        return status(exchange(served, GET)) == 200


def children(pid):
    text = "".join(path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/children"))
    return [int(child) for child in text.split()]
