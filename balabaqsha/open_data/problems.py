"""What the open data answer to a program that went wrong: a problem as RFC 9457 has it, never a page for people."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from django.http import HttpRequest, HttpResponse, JsonResponse

# Everything below this path is asked for by programs.
ROOT: Final = "/api/"
PROBLEM_TYPE: Final = "application/problem+json"
# What another part of the portal found wrong, in the words of this one. They repeat nothing of what was sent.
_DETAILS: Final = {
    400: "The request can't be read: a NUL, letters that are not UTF-8, or an address that is too long.",
    404: "There is nothing at this path. The document at /api/v1/ names every path.",
    405: "The open data are only read: GET and HEAD.",
    503: "The portal can't answer now. Ask again later.",
}
_KEPT_HEADERS: Final = ("Allow", "Retry-After")


def problem(detail: str, *, status: int) -> JsonResponse:
    """The answer with this status; `detail` is for whoever wrote the program."""
    told = {"title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    answer = JsonResponse(told, status=status, content_type=PROBLEM_TYPE)
    # Scripts of other sites may read the rows, so they may read what was wrong as well.
    answer.headers["Access-Control-Allow-Origin"] = "*"
    answer.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return answer


class ProblemsMiddleware:
    """A problem instead of the page that the portal shows to people; it stands outside of whatever refuses."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = self.get_response(request)
        is_told = answer.headers.get("Content-Type") == PROBLEM_TYPE
        if answer.status_code < 400 or is_told or not request.path_info.startswith(ROOT):
            return answer
        told = problem(_DETAILS.get(answer.status_code, "Something went wrong."), status=answer.status_code)
        for name in _KEPT_HEADERS:
            if name in answer.headers:
                told.headers[name] = answer.headers[name]
        return told
