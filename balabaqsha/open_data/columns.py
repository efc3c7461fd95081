"""How a column of the open data is told to programs, and when a count is not told. Pure."""

from dataclasses import dataclass
from typing import Any, Final

from applications.queue.small_groups import FEW, is_few

Json = dict[str, Any]

TEXT: Final[Json] = {"type": "string"}
WHOLE: Final[Json] = {"type": "integer"}
COUNT: Final[Json] = {"type": "integer", "minimum": 0}
DAY: Final[Json] = {"type": "string", "format": "date"}
INSTANT: Final[Json] = {"type": "string", "format": "date-time"}
# Of people.
COUNT_OF_FEW: Final[Json] = {
    "type": ["integer", "null"],
    "minimum": 0,
    "description": f"null: more than none and fewer than {FEW}, or so few could be worked out from it",
}


@dataclass(frozen=True)
class Column:
    """A column: its name, the schema of its values (JSON Schema 2020-12), and what it means."""

    name: str
    schema: Json
    meaning: str

    @property
    def described(self) -> Json:
        said = ". ".join(filter(None, [self.meaning, self.schema.get("description", "")]))
        return self.schema | {"description": said}


def one_of(*words: str) -> Json:
    return {"type": "string", "enum": list(words)}


def or_null(schema: Json) -> Json:
    return schema | {"type": [schema["type"], "null"]}


def many(schema: Json) -> Json:
    return {"type": "array", "items": schema}


def in_both(name: str, meaning: str) -> tuple[Column, Column]:
    """Two columns for a text that is in both languages."""
    return (
        Column(f"{name}_kk", TEXT, f"{meaning}, in Kazakh"),
        Column(f"{name}_ru", TEXT, f"{meaning}, in Russian"),
    )


def few_hidden(count: int) -> int | None:
    """A count of people as everyone may see it: a very small one might point at a family."""
    return None if is_few(count) else count
