"""What leaves the portal compressed, and what does not."""

import gzip

import pytest
from django.http import HttpResponse, StreamingHttpResponse
from django.test import RequestFactory

from balabaqsha.compression import WORTH_BYTES, CompressionMiddleware

PAGE = "Бос орындар бюллетені. " * 100


def sent(response: HttpResponse | StreamingHttpResponse, accepts: str = "br, gzip"):
    request = RequestFactory().get("/", HTTP_ACCEPT_ENCODING=accepts)
    return CompressionMiddleware(lambda _request: response)(request)


def test_a_page_is_smaller_and_the_same():
    answer = sent(HttpResponse(PAGE))
    assert answer.headers["Content-Encoding"] == "gzip"
    assert int(answer.headers["Content-Length"]) == len(answer.content) < len(PAGE.encode()) / 5
    assert gzip.decompress(answer.content).decode() == PAGE
    assert "Accept-Encoding" in answer.headers["Vary"]


def test_who_does_not_take_it_gets_it_plain_and_no_cache_mixes_them_up():
    answer = sent(HttpResponse(PAGE), accepts="br")
    assert answer.content.decode() == PAGE
    assert "Accept-Encoding" in answer.headers["Vary"]


def test_one_page_has_many_lengths():
    """BREACH reads a secret from how the length of one page changes with what is put beside it."""
    assert len({len(sent(HttpResponse(PAGE)).content) for _ in range(40)}) > 5


def test_a_file_in_pieces_is_compressed_in_pieces():
    answer = sent(StreamingHttpResponse(iter([PAGE.encode()] * 3), content_type="text/csv"))
    assert gzip.decompress(b"".join(answer.streaming_content)).decode() == PAGE * 3


@pytest.mark.parametrize(
    "response",
    [
        HttpResponse(PAGE, content_type="application/pdf"),
        HttpResponse(PAGE, content_type="image/jpeg"),
        HttpResponse(PAGE, headers={"Content-Encoding": "br"}),
        HttpResponse(PAGE, status=206),
        HttpResponse("a" * (WORTH_BYTES - 1)),
        HttpResponse(b"", status=304, content_type="text/html"),
    ],
    ids=["paper", "picture", "compressed", "part", "small", "unchanged"],
)
def test_what_is_not_worth_it_or_not_ours_stays(response):
    before, encoding = response.content, response.get("Content-Encoding")
    answer = sent(response)
    assert answer.content == before
    assert answer.get("Content-Encoding") == encoding


def test_a_strong_mark_of_the_content_becomes_weak():
    assert sent(HttpResponse(PAGE, headers={"ETag": '"x"'})).headers["ETag"] == 'W/"x"'


@pytest.mark.django_db
def test_the_portals_pages_are(client):
    answer = client.get("/", HTTP_ACCEPT_ENCODING="gzip")
    assert "<html" in gzip.decompress(answer.content).decode()
