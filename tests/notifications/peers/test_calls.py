"""Who may wait for a peer: some threads, and nobody while it rests. What is refused is refused at once."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from types import SimpleNamespace

import pytest

from balabaqsha.serving.contract import PAGE_THREADS
from notifications.peers import Answer, NotAsked, Unavailable, calls, post
from notifications.peers.calls import FAILURES, REST_SECONDS
from tests.notifications.peers.servers import answers, is_silent, peer, says

# For calls that are answered, or ended by the peer.
FOR_EVER = 20


@pytest.fixture
def clock(monkeypatch):
    """The clock by which a peer rests."""
    now = SimpleNamespace(seconds=1000.0)
    monkeypatch.setattr(calls, "time", SimpleNamespace(monotonic=lambda: now.seconds))
    return now


def ask(one, *, seconds=FOR_EVER):
    return post(one.url, body=b"{}", headers={}, seconds=seconds)


def outcome(one):
    try:
        return ask(one).status
    except NotAsked as reason:
        return f"not asked: {reason}"
    except Unavailable as reason:
        return str(reason)


def held(connection, one):
    """Answers when the test is over with it."""
    one.over.wait()
    answers(b"late")(connection, one)


class TestWaiting:
    def test_one_waits_and_the_others_are_told_at_once(self, settings):
        settings.THREADS_PER_PEER = 1
        with ThreadPoolExecutor(1) as pool, peer(held) as slow:
            first = pool.submit(ask, slow)
            assert slow.arrived.acquire(timeout=FOR_EVER)
            assert [outcome(slow) for _ in range(5)] == ["not asked: busy"] * 5
            assert slow.calls == 1
            assert not first.done()
            slow.over.set()
            assert first.result(timeout=FOR_EVER) == Answer(200, b"late")
            assert outcome(slow) == 200

    def test_another_peer_is_asked_meanwhile(self, settings):
        settings.THREADS_PER_PEER = 1
        with ThreadPoolExecutor(1) as pool, peer(held) as slow, peer(answers()) as quick:
            pool.submit(ask, slow)
            assert slow.arrived.acquire(timeout=FOR_EVER)
            assert outcome(quick) == 200

    def test_as_many_wait_as_may(self, settings):
        settings.THREADS_PER_PEER = 3
        with ThreadPoolExecutor(3) as pool, peer(held) as slow:
            waiting = [pool.submit(ask, slow) for _ in range(3)]
            assert all(slow.arrived.acquire(timeout=FOR_EVER) for _ in waiting)
            assert outcome(slow) == "not asked: busy"

    def test_one_who_failed_waits_no_longer(self, settings):
        settings.THREADS_PER_PEER = 1
        with peer(is_silent) as silent:
            for _ in range(2):
                with pytest.raises(Unavailable, match="TimeoutError"):
                    ask(silent, seconds=0.1)
            assert silent.calls == 2

    def test_a_web_process_never_waits_with_all_its_threads(self, settings):
        assert 1 <= settings.THREADS_PER_PEER < PAGE_THREADS

    @pytest.mark.parametrize("per_peer", [1, 2])
    def test_four_that_wait_leave_a_thread_for_the_pages(self, settings, per_peer):
        """A web process of two threads. The control: where both may wait for the peer, no page comes."""
        settings.THREADS_PER_PEER = per_peer
        with ThreadPoolExecutor(2) as process, peer(held) as slow:
            families = [process.submit(outcome, slow) for _ in range(4)]
            page = process.submit(lambda: "a page")
            assert all(slow.arrived.acquire(timeout=FOR_EVER) for _ in range(per_peer))
            if per_peer == 1:
                assert page.result(timeout=FOR_EVER) == "a page"
                assert not families[0].done()
            else:
                assert not page.running()
                assert not page.done()
            slow.over.set()
            told = [family.result(timeout=FOR_EVER) for family in families]
            assert told.count(200) == (1 if per_peer == 1 else 4)


class TestRest:
    @pytest.mark.parametrize(
        ("trouble", "told"),
        [
            (says(b""), ""),
            (says(b"nonsense\r\n"), ""),
            (answers(status=500), "HTTP 500"),
            (answers(status=503), "HTTP 503"),
        ],
        ids=["nothing", "nonsense", "500", "503"],
    )
    def test_a_peer_that_fails_is_left_alone(self, clock, trouble, told, caplog):
        with peer(trouble) as broken:
            for _ in range(FAILURES):
                assert not str(outcome(broken)).startswith("not asked")
            assert outcome(broken) == "not asked: resting"
            assert broken.calls == FAILURES
        assert f"127.0.0.1 gives no usable answer ({told}" in caplog.text
        assert "/ask" not in caplog.text

    @pytest.mark.parametrize("status", [200, 302, 400, 401, 403, 404, 429])
    def test_one_that_answers_is_not(self, status):
        with peer(answers(status=status)) as one:
            assert [outcome(one) for _ in range(FAILURES + 2)] == [status] * (FAILURES + 2)

    def test_the_log_calls_it_by_its_name_where_it_has_one(self, clock, caplog):
        with peer(answers(status=500)) as broken:
            for _ in range(FAILURES):
                post(broken.url, body=b"", headers={}, seconds=FOR_EVER, name="kannel")
        assert "kannel gives no usable answer (HTTP 500)" in caplog.text

    def test_it_is_tried_by_one_and_then_asked_by_all(self, clock, settings):
        settings.THREADS_PER_PEER = 8
        behaviour = [says(b"")]
        with peer(lambda connection, one: behaviour[0](connection, one)) as one:
            for _ in range(FAILURES):
                outcome(one)
            clock.seconds += REST_SECONDS
            together = Barrier(8)

            def ask_together(_):
                together.wait()
                return outcome(one)

            with ThreadPoolExecutor(8) as pool:
                told = list(pool.map(ask_together, range(8)))
            assert told.count("not asked: resting") == 7
            assert one.calls == FAILURES + 1
            behaviour[0] = answers()
            clock.seconds += REST_SECONDS
            assert [outcome(one) for _ in range(3)] == [200] * 3

    def test_another_peer_does_not_rest(self, clock):
        with peer(says(b"")) as broken, peer(answers()) as good:
            for _ in range(FAILURES):
                outcome(broken)
            assert outcome(good) == 200

    def test_an_address_that_is_none_is_no_peer(self):
        for _ in range(FAILURES + 1):
            with pytest.raises(Unavailable, match="address is not http"):
                post("ftp://127.0.0.1/", body=b"", headers={}, seconds=1)
