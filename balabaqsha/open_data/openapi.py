"""The OpenAPI document of the open data, made of the sources."""

from typing import Any, Final

from balabaqsha.open_data.columns import Json
from balabaqsha.open_data.problems import PROBLEM_TYPE
from balabaqsha.open_data.sources import SOURCES, Source

DEFAULT_ROWS: Final = 100
MOST_ROWS: Final = 1000
LONGEST_CURSOR: Final = 200

_CSV: Final = (
    "All rows without parameters, else as many as `limit` says; the header Link (rel=next) leads to the next ones. A "
    "cell that begins with =, +, - or @ has an apostrophe before it, so that no spreadsheet takes it for a formula"
)
_PROBLEM: Final = {"$ref": "#/components/responses/Problem"}
_PARAMETERS: Final[list[Json]] = [
    {
        "name": "cursor",
        "in": "query",
        "description": "Where to go on: `next_cursor` of the answer before",
        "schema": {"type": "string", "maxLength": LONGEST_CURSOR},
    },
    {
        "name": "limit",
        "in": "query",
        "description": "At most so many rows",
        "schema": {"type": "integer", "minimum": 1, "maximum": MOST_ROWS, "default": DEFAULT_ROWS},
    },
]


def document(server: str) -> Json:
    """The whole document; `server` is the absolute address under which the paths stand."""
    paths: dict[str, Any] = {}
    for source in SOURCES.values():
        paths[f"/{source.name}/"] = {"get": _operation(source, "application/json", _page(source))}
        paths[f"/{source.name}.csv"] = {"get": _operation(source, "text/csv", {"type": "string"})}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Balabaqsha: open data",
            "version": "1",
            "description": "Read-only. Names are in Kazakh and Russian. Times are UTC. No personal data. An answer may "
            "be a minute old; ask again with its ETag. Pages of any site may ask. What goes wrong is told as a problem "
            "(application/problem+json), whatever was asked below this address.",
        },
        "servers": [{"url": server}],
        "paths": paths,
        "components": {
            "schemas": {source.name: row_schema(source) for source in SOURCES.values()},
            "responses": {
                "Problem": {
                    "description": "What was wrong (RFC 9457)",
                    "content": {
                        PROBLEM_TYPE: {
                            "schema": {
                                "type": "object",
                                "properties": {
                                    "title": {"type": "string"},
                                    "status": {"type": "integer", "minimum": 400, "maximum": 599},
                                    "detail": {"type": "string"},
                                },
                                "required": ["title", "status", "detail"],
                            }
                        }
                    },
                }
            },
        },
    }


def row_schema(source: Source) -> Json:
    """The JSON Schema of a row: every column is there, and nothing else."""
    return {
        "type": "object",
        "description": source.meaning,
        "properties": {column.name: column.described for column in source.columns},
        "required": [column.name for column in source.columns],
        "additionalProperties": False,
    }


def _page(source: Source) -> Json:
    return {
        "type": "object",
        "properties": {
            "rows": {"type": "array", "items": {"$ref": f"#/components/schemas/{source.name}"}},
            "next_cursor": {"type": ["string", "null"], "description": "null: these are the last rows"},
            "next": {"type": ["string", "null"], "description": "The whole address of the next rows"},
        },
        "required": ["rows", "next_cursor", "next"],
        "additionalProperties": False,
    }


def _operation(source: Source, content_type: str, schema: Json) -> Json:
    kind = "csv" if content_type == "text/csv" else "json"
    return {
        "operationId": f"{source.name}_{kind}",
        "summary": source.meaning,
        "parameters": _PARAMETERS,
        "responses": {
            "200": {
                "description": "Rows; the header Link (rel=next) leads to the next ones"
                if kind == "json"
                else _CSV,
                "content": {content_type: {"schema": schema}},
            },
            "304": {"description": "Nothing has changed since the ETag in If-None-Match"},
            # Also to a path or a method that is none, a request that can't be read, and while the portal is away.
            **dict.fromkeys(("400", "404", "405", "429", "500", "503"), _PROBLEM),
        },
    }
