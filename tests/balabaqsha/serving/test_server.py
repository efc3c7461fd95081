"""How the portal is served: the numbers, what a machine allows of them, and that there is one place for them."""

import contextlib
import re
import resource
import subprocess
import sys

import pytest

from balabaqsha.serving import server
from tests.balabaqsha.serving.conftest import CHECKOUT, read_all, read_answer

ASK = b"GET /clock HTTP/1.1\r\nHost: localhost\r\n\r\n"


class TestPlan:
    @pytest.mark.parametrize("given", ["", "0", "-1", "65", "two", "2.0", "٢"])
    def test_workers_are_a_number(self, given):
        if not given:
            assert server.plan({"WEB_WORKERS": given}).workers == server.WORKERS
            return
        with pytest.raises(server.Unusable, match="WEB_WORKERS"):
            server.plan({"WEB_WORKERS": given})

    def test_enough_files_are_worth_no_word(self):
        assert server.connections_within(server.CONNECTIONS + server.OTHER_FILES) == (server.CONNECTIONS, ())
        assert server.connections_within(10**6) == (server.CONNECTIONS, ())

    def test_a_low_limit_is_said_in_words_with_the_way_out(self):
        connections, (warning,) = server.connections_within(4096)
        assert connections == 4096 - server.OTHER_FILES
        for word in ("4096 files", str(connections), str(server.CONNECTIONS), "ulimit -n"):
            assert word in warning

    def test_no_connection_is_let_in_without_a_file_for_it(self):
        for open_files in range(server.OTHER_FILES + server.FEWEST_CONNECTIONS, 12_000, 97):
            assert server.connections_within(open_files)[0] + server.OTHER_FILES <= open_files

    def test_hardly_any_files_serve_nobody(self):
        with pytest.raises(server.Unusable, match="ulimit -n"):
            server.connections_within(server.OTHER_FILES + server.FEWEST_CONNECTIONS - 1)

    @pytest.mark.parametrize(
        ("soft", "hard", "raised"), [(256, 20_000, 10_500), (256, 3000, 3000), (11_000, 20_000, 11_000)]
    )
    def test_the_limit_is_raised_as_far_as_it_goes(self, soft, hard, raised):
        code = (
            "import resource; from balabaqsha.serving import server;"
            f"resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}));"
            "print(server.raise_open_files(), resource.getrlimit(resource.RLIMIT_NOFILE)[0])"
        )
        done = subprocess.run([sys.executable, "-c", code], cwd=CHECKOUT, capture_output=True, check=True)
        assert done.stdout.decode().split() == [str(raised), str(raised)]

    def test_a_name_that_leads_nowhere_is_refused_in_words(self):
        with pytest.raises(server.Unusable, match=r"nowhere\.invalid"):
            server.address_of("nowhere.invalid")
        assert server.address_of("localhost") in {"127.0.0.1", "::1"}
        assert server.address_of("0.0.0.0") == "0.0.0.0"
        assert server.address_of("::1") == "::1"

    def test_the_command_says_so_and_ends(self):
        limits = "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (600, 600));"
        run = "import runpy; runpy.run_module('balabaqsha.serving', run_name='__main__')"
        done = subprocess.run(
            [sys.executable, "-c", limits + run], cwd=CHECKOUT, capture_output=True, check=False
        )
        assert done.returncode == 1
        assert "A process may open 600 files here" in done.stderr.decode()
        assert "Traceback" not in done.stderr.decode()


class TestOnePlace:
    def test_nobody_else_tells_granian_anything(self):
        named = {
            path.relative_to(CHECKOUT).as_posix()
            for pattern in ("*/**/*.py", "Dockerfile", "docker-compose.yml", "Makefile", "README.md")
            for path in CHECKOUT.glob(pattern)
            if path.relative_to(CHECKOUT).parts[0] not in {".venv", "var", "tests"}
            and re.search(r"import.*granian|from granian|granian --|\"granian\"", path.read_text())
        }
        assert {name.rpartition("/")[0] for name in named} == {"balabaqsha/serving"}

    @pytest.mark.parametrize(
        "file", ["Dockerfile", "balabaqsha/runner.py", "benchmarks/rush.py", "README.md"]
    )
    def test_who_serves_serves_like_this(self, file):
        assert "balabaqsha.serving" in (CHECKOUT / file).read_text()


class TestConnections:
    def test_more_kept_connections_than_the_old_limit_let_the_next_visitor_in(self, serve):
        """1,024 was granian's own limit: later visitors were not let in."""
        served = serve()
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 4096)), hard))
        with contextlib.ExitStack() as kept:
            for _ in range(1_300):
                connection = kept.enter_context(served.connect())
                connection.sendall(ASK)
                assert read_answer(connection).startswith(b"HTTP/1.1 200")
            assert read_answer_of_next(served).startswith(b"HTTP/1.1 200")

    @pytest.mark.parametrize(
        "sent", [b"", ASK, b"GET /clock HTTP/1.1\r\nHo"], ids=["nothing", "kept", "half a head"]
    )
    def test_a_connection_on_which_nothing_comes_is_closed(self, serve, sent):
        served = serve(prelude="server.IDLE_SECONDS = 1")
        with served.connect() as connection:
            connection.sendall(sent)
            # It ends: the socket's own limit of 20 seconds would raise.
            assert read_all(connection).startswith(b"HTTP/1.1 200" if sent == ASK else b"")


def read_answer_of_next(served) -> bytes:
    with served.connect() as connection:
        connection.sendall(ASK)
        return read_answer(connection)
