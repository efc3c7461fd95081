"""How many of the changes that `mutmut run` made were found by a test, module by module; ends with 1 below the aim.

python bin/mutants.py       after `mutmut run`, whose results it reads from mutants/
"""

import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
AIM_PERCENT = 85
# What mutmut writes where the tests passed, and where none of them runs the line.
SURVIVED, UNTESTED = 0, 33


def main() -> int:
    found, missed, survivors = Counter[str](), Counter[str](), list[str]()
    for name, code in results(CHECKOUT / "mutants"):
        module = name.partition(".x")[0]
        if code in (SURVIVED, UNTESTED):
            missed[module] += 1
            survivors.append(name)
        else:
            found[module] += 1
    for module in sorted(found | missed):
        print(line(module, found[module], missed[module]))
    print(line("all", found.total(), missed.total()))
    print("\n".join(["", "Changes that no test found (mutmut show NAME):", *survivors] if survivors else []))
    return 0 if percent(found.total(), missed.total()) >= AIM_PERCENT else 1


def results(folder: Path) -> Iterator[tuple[str, int]]:
    """Every change that was tried, with what the tests ended with."""
    for path in sorted(folder.rglob("*.py.meta")):
        for name, code in json.loads(path.read_text())["exit_code_by_key"].items():
            if code is not None:
                yield name, code


def line(name: str, found: int, missed: int) -> str:
    return f"{name:40} {percent(found, missed):5.1f} %  of {found + missed}"


def percent(found: int, missed: int) -> float:
    return 100 * found / (found + missed) if found + missed else 0.0


if __name__ == "__main__":
    sys.exit(main())
