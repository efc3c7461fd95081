"""The supervisor of `make run`, with small programs in the place of the services."""

import contextlib
import errno
import fcntl
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from balabaqsha import portals, runner
from balabaqsha.servers.errors import EmbeddedError
from balabaqsha.servers.server import exists
from balabaqsha.serving.server import Plan, Unusable
from tests.patience import PATIENCE, until


@pytest.fixture
def family():
    family = runner.Family(environment=dict(os.environ))
    yield family
    family.end()


def python(code):
    return [sys.executable, "-c", code]


def wait_for(path):
    until(lambda: path.exists() and path.read_text().endswith("\n"))
    return path.read_text()


def gone(pid):
    return not exists(pid)


def test_end_stops_children_and_grandchildren_even_deaf_ones(family, tmp_path, monkeypatch):
    monkeypatch.setattr(runner, "GRACE_SECONDS", 0.5)
    family.start(
        "stubborn",
        python(
            "import signal, subprocess, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
            "child = subprocess.Popen([sys.executable, '-c', 'import signal, time;"
            "signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)']);"
            "print(child.pid, flush=True); time.sleep(60)"
        ),
        log=tmp_path / "log",
    )
    parent, grandchild = family.children[0].process.pid, int(wait_for(tmp_path / "log"))
    family.end()
    assert gone(parent)
    until(lambda: gone(grandchild))


def test_a_child_that_ends_is_named_with_its_last_words(family, tmp_path):
    child = family.start(
        "worker", python("print('out of memory'); raise SystemExit(9)"), log=tmp_path / "log"
    )
    child.process.wait()
    with pytest.raises(runner.Failed, match=r"worker has ended by itself with code 9(.|\n)*out of memory"):
        family.check_alive()


def test_what_a_child_writes_is_read_by_nobody_else(family, tmp_path):
    """Logs hold addresses of visitors, files that the children make hold papers of families."""
    child = family.start("worker", python(f"open({str(tmp_path / 'paper')!r}, 'w')"), log=tmp_path / "log")
    assert child.process.wait() == 0
    assert [oct((tmp_path / name).stat().st_mode & 0o777) for name in ("log", "paper")] == ["0o600"] * 2


def test_a_log_is_gone_on_with_and_one_that_has_grown_is_put_aside(family, tmp_path, monkeypatch):
    log = tmp_path / "log"
    for words in ("first", "second"):
        assert family.start("worker", python(f"print({words!r})"), log=log).process.wait() == 0
    assert log.read_text() == "first\nsecond\n"
    monkeypatch.setattr(runner, "LOG_BYTES", 5)
    assert family.start("worker", python("print('third')"), log=log).process.wait() == 0
    assert log.read_text() == "third\n"
    assert (tmp_path / "log.1").read_text() == "first\nsecond\n"


def test_of_two_portals_that_begin_at_once_one_has_the_port_until_its_last_child_has_ended(family, tmp_path):
    with runner.claim_port("8123", var=tmp_path) as claimed:
        with pytest.raises(runner.Failed, match=r"takes port 8123(.|\n)*make run PORT=8124"):
            runner.claim_port("8123", var=tmp_path).__enter__()
        with runner.claim_port("8124", var=tmp_path):
            pass
        family.files = [claimed.fileno()]
        family.start("web server", python("import time; time.sleep(60)"))
    with pytest.raises(runner.Failed):
        runner.claim_port("8123", var=tmp_path).__enter__()
    family.end()
    with runner.claim_port("8123", var=tmp_path):
        pass


def test_a_failing_step_is_named(family):
    with pytest.raises(runner.Failed, match="migration failed with code 4"):
        family.complete("The migration", python("raise SystemExit(4)"))


def test_the_wish_to_stop_interrupts_a_running_step(family):
    threading.Timer(0.3, family.stop_wish.make).start()
    with pytest.raises(runner.Stopped):
        family.complete("step", python("import time; time.sleep(60)"))
    step = family.children[0].process
    family.end()
    assert step.returncode == -signal.SIGTERM


def test_a_hail_of_signals_stops_it_and_never_hangs():
    code = """if True:
        import os, time
        from balabaqsha import portals, runner
        family = runner.Family(environment=os.environ)
        runner.watch_signals(family.stop_wish)
        print("ready", flush=True)
        end = time.monotonic() + 2
        while time.monotonic() < end:
            try:
                family.pause(0.001)
            except runner.Stopped:
                continue
        print("done", flush=True)
    """
    with subprocess.Popen([sys.executable, "-c", code], cwd=runner.CHECKOUT, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        deadline = time.monotonic() + PATIENCE
        while child.poll() is None and time.monotonic() < deadline:
            child.send_signal(signal.SIGTERM)
            child.send_signal(signal.SIGINT)
        child.kill()
        assert child.stdout.readline() == b"done\n"


class TestARunnerThatIsKilled:
    """With SIGKILL, as by a machine without memory: it can't end anything any more."""

    # What it starts writes its id, and what the arguments say.
    CODE = """if True:
        import os, sys, time
        from pathlib import Path
        from balabaqsha import portals, runner
        family = runner.Family(environment=os.environ, files=[int(name) for name in sys.argv[2:]])
        family.start("service", [sys.executable, "-c", sys.argv[1]], log=Path(os.environ["CHILD_LOG"]))
        time.sleep(60)
    """

    @pytest.fixture
    def killed(self, tmp_path):
        """Start one with a service and kill it; gives the id of the service."""
        services = []

        def run(service: str, *files: int) -> int:
            log = tmp_path / "log"
            parent = subprocess.Popen(
                [sys.executable, "-c", self.CODE, service, *map(str, files)],
                cwd=runner.CHECKOUT,
                env=os.environ | {"CHILD_LOG": str(log)},
                pass_fds=files,
            )
            services.append(int(wait_for(log)))
            parent.kill()
            parent.wait()
            return services[-1]

        yield run
        for pid in services:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def test_takes_its_services_along(self, killed):
        service = killed("import os, time; print(os.getpid(), flush=True); time.sleep(60)")
        until(lambda: gone(service))

    def test_leaves_the_servers_in_use_while_a_service_lives(self, killed, tmp_path):
        """So the next one that ends does not stop the database under it."""
        deaf = "import os, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        with (tmp_path / "users").open("ab") as users:
            fcntl.flock(users, fcntl.LOCK_SH)
            service = killed(deaf + "print(os.getpid(), flush=True); time.sleep(60)", users.fileno())
        with (tmp_path / "users").open("ab") as others:
            with pytest.raises(BlockingIOError):
                fcntl.flock(others, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.kill(service, signal.SIGKILL)
            until(lambda: gone(service))
            fcntl.flock(others, fcntl.LOCK_EX | fcntl.LOCK_NB)


class TestTheHint:
    @pytest.fixture
    def busy(self):
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            yield str(other.getsockname()[1])

    def test_another_port_where_the_port_is_taken(self, busy):
        with pytest.raises(runner.Failed, match=f"Choose another port: make run PORT={int(busy) + 1}"):
            runner.check_address("127.0.0.1", busy)

    @pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid", "::ffff"])
    def test_another_host_where_the_host_is_wrong(self, host):
        with pytest.raises(runner.Failed, match=r"make run HOST=127\.0\.0\.1") as failure:
            runner.check_address(host, "8000")
        assert "PORT" not in str(failure.value)

    def test_make_stop_where_it_is_our_own_portal(self, busy, monkeypatch):
        words = ["python", "-m", "balabaqsha.serving", "--host", "127.0.0.1", "--port", busy]
        there = [
            portals.Found(pid=2, words=words),
            portals.Found(pid=1, words=["python", "-m", "balabaqsha.runner"]),
        ]
        monkeypatch.setattr(portals, "running", lambda checkout: there)
        with pytest.raises(runner.Failed, match=r"own portal.*make stop"):
            runner.check_address("127.0.0.1", busy)

    def test_the_services_of_a_dead_runner_are_waited_for(self, monkeypatch, capsys):
        """They end by themselves."""
        words = ["python", "-m", "balabaqsha.serving", "--host", "127.0.0.1", "--port", "65001"]
        answers = [[portals.Found(pid=2, words=words)], []]
        monkeypatch.setattr(portals, "running", lambda checkout: answers.pop(0))
        runner.check_address("127.0.0.1", "65001")
        assert "still ending" in capsys.readouterr().out
        assert answers == []


class TestPortalsOfAFolder:
    @pytest.fixture
    def serve(self, tmp_path):
        """Processes that look like services of the folder."""
        tmp_path.joinpath("balabaqsha").mkdir()
        program = "import signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: sys.exit(0)); print(flush=True);"
        for module in ("__init__", "serving", "runner"):
            code = program + "time.sleep(60)" if module != "__init__" else ""
            tmp_path.joinpath("balabaqsha", f"{module}.py").write_text(code)
        started = []
        # They are nothing of ours: whatever measures the tests must not look for them after these have ended.
        unmeasured = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}

        def start(*words):
            process = subprocess.Popen(
                [sys.executable, "-m", *words], cwd=tmp_path, env=unmeasured, stdout=subprocess.PIPE
            )
            assert process.stdout is not None
            process.stdout.readline()
            started.append(process)
            return process

        yield start
        for process in started:
            process.kill()
            process.wait()
            process.stdout.close()

    def test_are_known_by_their_folder(self, serve, tmp_path):
        web = serve("balabaqsha.serving", "--port", "8123")
        assert [(found.pid, found.port) for found in portals.running(tmp_path)] == [(web.pid, "8123")]
        assert portals.running(tmp_path.parent) == []

    def test_are_ended_by_their_runner_and_without_one_each(self, serve, tmp_path):
        web, boss = serve("balabaqsha.serving", "--port", "8123"), serve("balabaqsha.runner")
        threading.Thread(target=boss.wait).start()
        threading.Thread(target=web.wait).start()
        assert portals.end(tmp_path, seconds=20) == []
        assert (boss.wait(), web.wait()) == (0, 0)

    def test_one_that_does_not_end_is_told(self, serve, tmp_path):
        boss = serve("balabaqsha.runner")
        boss.send_signal(signal.SIGSTOP)
        assert [found.pid for found in portals.end(tmp_path, seconds=0.5)] == [boss.pid]


@pytest.mark.parametrize("port", ["abc", "0", "65536", "-1", "8000 ", "٨٠٠٠"])
def test_a_wrong_port_is_refused_in_words(port):
    with pytest.raises(runner.Failed, match="is not a port"):
        runner.check_address("127.0.0.1", port)


def test_a_busy_port_is_refused_in_words():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(runner.Failed, match="make run PORT="):
            runner.check_address("127.0.0.1", str(other.getsockname()[1]))


def test_the_printed_address_can_be_opened():
    assert runner.local_address("0.0.0.0") == "127.0.0.1"
    assert runner.local_address("portal.local") == "portal.local"
    assert "http://127.0.0.1:8001/ru/" in runner.welcome("http://127.0.0.1:8001/")


def test_a_busy_port_ends_the_portal_before_anything_is_started(tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        environment = os.environ | {"PORT": str(other.getsockname()[1])}
        done = subprocess.run(
            [sys.executable, "-m", "balabaqsha.runner"],
            cwd=Path(runner.CHECKOUT),
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert "can't be used" in done.stderr
    assert "==>" not in done.stdout


def test_what_serves_does_not_know_the_owner_of_the_tables():
    given = {
        "DATABASE_URL": "a",
        "MIGRATE_DATABASE_URL": "b",
        "MIGRATE_DATABASE_PASSWORD_FILE": "c",
        "PATH": "d",
    }
    serving, owner = runner.apart(given)
    assert serving == {"DATABASE_URL": "a", "PATH": "d"}
    assert owner == {"MIGRATE_DATABASE_URL": "b", "MIGRATE_DATABASE_PASSWORD_FILE": "c"}


def test_too_few_files_end_the_portal_before_anything_is_started():
    code = """if True:
        import resource, runpy
        resource.setrlimit(resource.RLIMIT_NOFILE, (600, 600))
        runpy.run_module("balabaqsha.runner", run_name="__main__")
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(runner.CHECKOUT),
        env=os.environ | {"PORT": port},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "ulimit -n" in done.stderr
    assert "==>" not in done.stdout


def test_few_files_are_said_where_they_are_read(monkeypatch, capsys):
    monkeypatch.setattr(runner, "plan", lambda environ: Plan(workers=2, connections=300, warnings=("Few.",)))
    runner.check_room({})
    assert capsys.readouterr().err == "Few.\n"


class TestThePortal:
    """From the first line to the last, with small programs for the services and no set-up."""

    @pytest.fixture
    def portal(self, monkeypatch, tmp_path):
        """Run a portal of these services; returns its code, once it has ended, and what it asked for besides."""
        held = SimpleNamespace(files=[], held=[True], urls={"DATABASE_URL": "a", "MIGRATE_DATABASE_URL": "b"})
        held.dead, held.stop, held.is_stopped = (
            (lambda: None),
            (lambda: setattr(held, "is_stopped", True)),
            False,
        )
        held.asked, held.family = [], None

        def complete(family, name, command, **extra):
            held.asked.append((name, extra, dict(family.environment)))

        monkeypatch.setattr(runner, "start_servers", lambda environ: held)
        monkeypatch.setattr(runner, "check_address", lambda host, port: None)
        monkeypatch.setattr(runner, "check_room", lambda environ: None)
        monkeypatch.setattr(runner, "watch_signals", lambda stop_wish: setattr(held, "wish", stop_wish))
        monkeypatch.setattr(runner, "wait_until_ready", lambda family, address: held.asked.append(address))
        monkeypatch.setattr(runner.Family, "complete", complete)

        def run(*services, **environ):
            def start(family, *, host, port):
                held.family = family
                held.pids = [
                    family.start(f"service {number}", python(code), log=tmp_path / f"{number}").process.pid
                    for number, code in enumerate(services)
                ]

            monkeypatch.setattr(runner, "start_services", start)
            code = runner.run_portal(dict(os.environ) | {"BALABAQSHA_DEMO": "0"} | environ)
            assert all(gone(pid) for pid in held.pids)
            assert held.is_stopped
            return code

        run.held = held
        return run

    WAITS = "import time; time.sleep(60)"

    def test_runs_until_it_is_asked_to_stop(self, portal, capsys):
        threading.Timer(0.3, lambda: portal.held.wish.make()).start()
        assert portal(self.WAITS, self.WAITS, PORT="8765") == 0
        said = capsys.readouterr()
        assert "http://127.0.0.1:8765/" in said.out
        assert said.out.endswith("Stopping ...\nStopped; the data stays in var/.\n")
        assert said.err == ""

    def test_only_its_set_up_knows_the_owner_of_the_tables(self, portal):
        threading.Timer(0.3, lambda: portal.held.wish.make()).start()
        assert portal(self.WAITS, BALABAQSHA_DEMO="1") == 0
        (set_up, address, demo) = portal.held.asked
        assert set_up[:2] == ("The set-up", {"MIGRATE_DATABASE_URL": "b", "LOG_LEVEL": "WARNING"})
        assert address == "http://127.0.0.1:8000/health/"
        assert demo[:2] == ("The list of demo people", {"LOG_LEVEL": "WARNING"})
        assert not [name for name in (*set_up[2], *demo[2]) if name.startswith("MIGRATE_")]
        assert portal.held.family.environment["DATABASE_URL"] == "a"

    def test_ends_with_the_last_words_of_a_service_that_ended(self, portal, capsys):
        assert portal(self.WAITS, "print('no memory'); raise SystemExit(9)") == 1
        assert (
            "The service 1 has ended by itself with code 9. Its last words:\nno memory"
            in capsys.readouterr().err
        )

    def test_ends_with_the_name_of_a_server_that_ended(self, portal, capsys):
        portal.held.dead = lambda: "Redis"
        assert portal(self.WAITS) == 1
        assert "Redis has ended by itself" in capsys.readouterr().err

    def test_says_why_a_server_can_not_be_used(self, portal, monkeypatch, capsys):
        def refuse(environ):
            raise EmbeddedError("PostgreSQL did not start.")

        monkeypatch.setattr(runner, "start_servers", refuse)
        assert runner.run_portal(os.environ) == 1
        said = capsys.readouterr()
        assert said.err == "\nPostgreSQL did not start.\n"
        assert "Stopp" not in said.out


class TestTheServices:
    def test_are_four_with_logs_of_their_own(self, tmp_path, monkeypatch):
        started = []

        def start(_family, name, command, *, log):
            started.append((name, command, log))

        monkeypatch.setattr(runner.Family, "start", start)
        family = runner.Family(environment={})
        runner.start_services(family, host="[::1]", port="8123", var=tmp_path)
        assert [(name, log.name) for name, _command, log in started] == [
            ("web server", "web.log"),
            ("Celery worker", "worker.log"),
            ("Celery deliveries", "deliveries.log"),
            ("Celery beat", "beat.log"),
        ]
        (web, worker, deliveries, beat) = [command[1:] for _name, command, _log in started]
        assert web == ["-m", "balabaqsha.serving", "--host", "::1", "--port", "8123"]
        assert worker[:5] == deliveries[:5] == [*beat[:2], "-A", "balabaqsha", "worker"]
        assert beat[4] == "beat"
        assert {log.parent for _name, _command, log in started} == {tmp_path / "log"}
        assert (tmp_path / "log").is_dir()

    def test_are_waited_for_until_they_answer(self, family, tmp_path):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        page = "from http.server import *; HTTPServer(('127.0.0.1', {}), SimpleHTTPRequestHandler).serve_forever()"
        family.start("web server", python(page.format(port)), log=tmp_path / "log")
        runner.wait_until_ready(family, f"http://127.0.0.1:{port}/")
        with socket.create_connection(("127.0.0.1", port), timeout=10):
            pass

    def test_that_do_not_answer_in_time_are_told_with_their_last_words(self, family, tmp_path, monkeypatch):
        monkeypatch.setattr(runner, "READY_SECONDS", 0)
        family.start(
            "web server",
            python("print('busy', flush=True); import time; time.sleep(60)"),
            log=tmp_path / "log",
        )
        wait_for(tmp_path / "log")
        with pytest.raises(runner.Failed, match=r"http://127\.0\.0\.1:1/ does not answer(.|\n)*busy"):
            runner.wait_until_ready(family, "http://127.0.0.1:1/")


class TestTheCommandLine:
    def test_a_command_gets_the_environment_of_the_portal_and_its_code_is_passed_on(self, monkeypatch):
        monkeypatch.setattr(runner.signal, "signal", lambda *_: None)
        given = {"DATABASE_URL": "postgres://given/x", "REDIS_URL": "redis://given", "IIN_HASH_KEY": "k"}
        for name, value in given.items():
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("BALABAQSHA_DEMO", raising=False)
        code = f"import os, sys; sys.exit(7 if {given | {'BALABAQSHA_DEMO': '1'}}.items() <= os.environ.items() else 1)"
        assert runner.main(["exec", *python(code)]) == 7

    def test_without_servers_it_says_why(self, monkeypatch, capsys):
        def refuse(environ):
            raise EmbeddedError("PostgreSQL did not start.")

        monkeypatch.setattr(runner.signal, "signal", lambda *_: None)
        monkeypatch.setattr(runner, "start_servers", refuse)
        assert runner.main(["exec", "true"]) == 1
        assert capsys.readouterr().err == "PostgreSQL did not start.\n"

    @pytest.mark.parametrize("words", [["exec"], ["stop", "now"], ["--help"]])
    def test_other_words_are_answered_with_those_that_there_are(self, words, capsys):
        assert runner.main(words) == 2
        assert "balabaqsha.runner stop" in capsys.readouterr().err

    @pytest.mark.parametrize(("words", "called"), [([], "run_portal"), (["stop"], "stop_portals")])
    def test_the_words_that_there_are(self, words, called, monkeypatch):
        for name in ("run_portal", "stop_portals"):
            monkeypatch.setattr(runner, name, lambda *_, name=name: name)
        assert runner.main(words) == called


class TestStopping:
    @pytest.fixture
    def left(self, monkeypatch):
        """What is still there after everything was asked to stop; nothing is, unless a test says so."""
        left: list[portals.Found] = []
        monkeypatch.setattr(portals, "end", lambda checkout, *, seconds: left)
        monkeypatch.setattr(runner, "end_keep", lambda server: server.name == "Redis")
        return left

    def test_says_which_server_others_still_use(self, left, capsys):
        assert runner.stop_portals() == 0
        assert capsys.readouterr().out.splitlines() == [
            "PostgreSQL is still in use; it ends with its last user.",
            "Stopped; the data stays in var/.",
        ]

    def test_names_what_did_not_end_and_leaves_its_servers(self, left, monkeypatch, capsys):
        left += [portals.Found(pid=7, words=["a"]), portals.Found(pid=9, words=["b"])]
        monkeypatch.setattr(runner, "end_keep", lambda server: pytest.fail("a portal still uses it"))
        assert runner.stop_portals() == 1
        assert "End them: kill -9 7 9\n" in capsys.readouterr().err


def test_a_machine_that_can_let_nobody_in_is_said_in_words(monkeypatch):
    def refuse(environ):
        raise Unusable("No connection fits.")

    monkeypatch.setattr(runner, "plan", refuse)
    with pytest.raises(runner.Failed, match="No connection fits"):
        runner.check_room({})


def test_a_port_of_the_system_names_one_that_everybody_may_use():
    assert "make run PORT=8000" in runner._way_out(PermissionError(errno.EACCES, "Permission denied"), "80")
