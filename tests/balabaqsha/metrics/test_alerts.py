"""The rules of alerts and the dashboard: what they name is told, and what they lead to is written."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.balabaqsha.metrics.test_metrics import KNOWN

CHECKOUT = Path(__file__).parents[3]
PROMETHEUS = CHECKOUT / "deploy" / "prometheus"
# Of each its name, its question and its section; promtool reads the rest.
RULES = re.findall(
    r"- alert: (\w+)\n +expr: '(.*)'\n(?:.*\n){4} +runbook: (.*)", (PROMETHEUS / "alerts.yml").read_text()
)
DASHBOARD = json.loads((CHECKOUT / "deploy" / "grafana" / "balabaqsha.json").read_text())
QUERIES = [question for _name, question, _section in RULES] + [
    target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]
]
# What Prometheus makes of a counter and of a histogram.
SUFFIXES = "_total", "_bucket", "_sum", "_count"
promtool = pytest.mark.skipif(not shutil.which("promtool"), reason="needs promtool (Debian's prometheus)")


def named(query):
    """The metrics of a query, as `/metrics` calls them in its descriptions."""
    for name in re.findall(r"\bbalabaqsha_(\w+)", query):
        for suffix in SUFFIXES:
            if name.endswith(suffix) and name.removesuffix(suffix) in KNOWN:
                name = name.removesuffix(suffix)
        yield name


def headings():
    text = (CHECKOUT / "docs" / "runbook.md").read_text()
    return {title.lower().replace(" ", "-") for title in re.findall(r"^## (.+)$", text, re.MULTILINE)}


def test_every_metric_that_is_named_is_told():
    assert {name for query in QUERIES for name in named(query)} <= set(KNOWN)


def test_every_label_that_is_named_is_one_of_its_metric():
    for query in QUERIES:
        for name, labels in re.findall(r"\bbalabaqsha_(\w+)\{([^}]*)\}", query):
            [metric] = named(f"balabaqsha_{name}")
            for label, value in re.findall(r'(\w+)="([^"]*)"', labels):
                known = KNOWN[metric][label]
                assert known(value) if callable(known) else value in known, query


def test_every_metric_is_looked_at_by_somebody():
    assert set(KNOWN) - {name for query in QUERIES for name in named(query)} == {
        # Which is read when one of the others is wrong.
        "version_info",
        "outbox_oldest_seconds",
    }


def test_every_alert_leads_to_its_section():
    assert len({name for name, _question, _section in RULES}) > 20
    assert all(section.startswith("docs/runbook.md#") for _name, _question, section in RULES)
    assert {section.partition("#")[2] for _name, _question, section in RULES} <= headings()


@pytest.mark.parametrize("part", sorted(set(re.findall(r'health\{part="(\w+)"', str(RULES)))))
def test_the_parts_are_words_of_health(part):
    text = (CHECKOUT / "docs" / "operators.md").read_text()
    assert f"`{part}: " in text


@promtool
def test_prometheus_reads_the_rules():
    subprocess.run(["promtool", "check", "rules", "alerts.yml"], cwd=PROMETHEUS, check=True)
    subprocess.run(["promtool", "test", "rules", "alerts.test.yml"], cwd=PROMETHEUS, check=True)
