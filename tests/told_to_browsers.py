"""What an answer tells a browser: its type, what its page may do and use, and who else may load it."""

from collections.abc import Iterator
from email.message import Message

# The open data.
FOR_OTHER_SITES = {"api", "api_rows", "api_csv"}
# These alone may ask where their visitor is: the catalogue, the map, and the choice of what a family is told of.
ASK_WHERE = {"bulletin:kindergartens", "bulletin:map", "applications:alert"}


def told_wrongly(answer, visitor: str, row: str) -> list[str]:
    """What is wrong with what an address of `test_every_url.TABLE` told the browser of this visitor."""
    is_open = row.split()[0] in FOR_OTHER_SITES
    is_right = is_limited(
        answer,
        geolocation="(self)" if row.split()[0] in ASK_WHERE and answer.status_code == 200 else "()",
        shared="cross-origin" if is_open else "same-origin",
    )
    return [
        *of_type(answer),
        *of_policy(answer),
        *(() if is_open else of_other_sites(answer)),
        *of_the_way_out(answer, f"{visitor} {row}"),
        *([] if is_right else ["what the page may use, and who may load it"]),
    ]


def of_type(answer) -> Iterator[str]:
    if answer.headers["X-Content-Type-Options"] != "nosniff":
        yield "the type may be guessed"
    if answer.status_code in (200, 202, 400, 403, 404, 500):
        told = Message()
        told["content-type"] = answer.headers["Content-Type"]
        is_text = told.get_content_maintype() == "text" or told.get_content_subtype().endswith("xml")
        if is_text and told.get_param("charset") != "utf-8":
            yield "text without its letters' encoding"


def of_policy(answer) -> Iterator[str]:
    parts = answer.headers["Content-Security-Policy"].split(";")
    policy = {name: values for name, _, values in (part.strip().partition(" ") for part in parts)}
    # In a sandbox is a file: a document of its own, in which nothing runs.
    demanded = {"frame-ancestors": "'none'"} | (
        {"default-src": "'none'"}
        if "sandbox" in policy
        else {"default-src": "'self'", "form-action": "'self'", "object-src": "'none'", "base-uri": "'none'"}
    )
    for name, value in demanded.items():
        if policy.get(name) != value:
            yield f"{name} is {policy.get(name)}"
    loose = {"'unsafe-inline'", "'unsafe-eval'", "*"} & set(" ".join(policy.values()).split())
    if loose and "sandbox" not in policy:
        yield f"the policy allows {loose}"


def of_other_sites(answer) -> Iterator[str]:
    yield from (header for header in answer.headers if header.startswith("Access-Control-"))
    if answer.headers["Referrer-Policy"] != "same-origin":
        yield "other sites learn addresses"


# The portal's status and its errors are the same for whoever reads them, and without the internet there is no way.
FOR_ANYBODY = {"status", "offline", "styleguide_error"}


def of_the_way_out(answer, name: str) -> Iterator[str]:
    is_page = answer.status_code == 200 and answer.headers["Content-Type"].startswith("text/html")
    if not (is_page and name.startswith("parent ")) or name.removeprefix("parent ") in FOR_ANYBODY:
        return
    page = answer.content.decode()
    if "<header" in page and 'class="logout"' not in page:
        yield "no way out"


def is_limited(answer, *, geolocation: str = "()", shared: str = "same-origin") -> bool:
    policy = answer.headers.get("Permissions-Policy", "").split(", ")
    return (
        {"camera=()", "microphone=()", "payment=()", "usb=()"} <= set(policy)
        and [one for one in policy if not one.endswith("=()")]
        == ([] if geolocation == "()" else [f"geolocation={geolocation}"])
        and f"geolocation={geolocation}" in policy
        and answer.headers.get("Cross-Origin-Resource-Policy") == shared
    )
