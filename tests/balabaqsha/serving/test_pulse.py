"""A web process that hangs is ended, so that another one takes its place."""

import os
import re
import signal
import subprocess
import sys

import pytest

from balabaqsha.serving.pulse import LOOKS, Pulse, Watch
from tests.balabaqsha.serving.conftest import wait_until_open
from tests.patience import until

ASK = b"GET /clock HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
QUICK = "from balabaqsha.serving import pulse; pulse.LOOKS = 3; pulse.EVERY_SECONDS = 0.2"
STARTED = re.compile(r"Spawning worker-1 with PID: (\d+)")


def test_one_that_is_stopped_is_replaced_and_its_place_answers(serve):
    served = serve(prelude=QUICK)
    assert b" 200 " in served.ask(ASK)
    (stopped,) = (int(number) for number in STARTED.findall(served.log.read_text()))
    os.kill(stopped, signal.SIGSTOP)
    until(lambda: "has hung" in served.log.read_text(), served.log.read_text)
    until(lambda: len(STARTED.findall(served.log.read_text())) == 2, served.log.read_text)
    wait_until_open(served)
    assert b" 200 " in served.ask(ASK)
    assert served.process.poll() is None


@pytest.fixture
def child():
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    yield process.pid
    process.kill()
    process.wait()


def test_only_who_has_not_beaten_for_so_many_looks_is_named_and_once(tmp_path, child):
    watch, file = Watch(tmp_path), tmp_path / str(child)
    file.touch()
    assert [list(watch.look()) for _ in range(LOOKS)] == [[]] * LOOKS
    os.utime(file, ns=(1, 1))
    assert [list(watch.look()) for _ in range(LOOKS)] == [[]] * LOOKS
    assert list(watch.look()) == [child]
    assert list(watch.look()) == []


def test_who_is_no_child_of_ours_is_never_named(tmp_path):
    (tmp_path / str(os.getppid())).touch()
    watch = Watch(tmp_path)
    assert [list(watch.look()) for _ in range(2 * LOOKS)] == [[]] * 2 * LOOKS


def test_who_stops_in_order_is_forgotten(tmp_path):
    own = Pulse(tmp_path)
    own.beat()
    assert [one.name for one in tmp_path.iterdir()] == [str(os.getpid())]
    own.end()
    assert not list(tmp_path.iterdir())
    own.end()


def test_a_folder_that_has_gone_stops_nobody(tmp_path):
    Pulse(tmp_path / "gone").beat()
