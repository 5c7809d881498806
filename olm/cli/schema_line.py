"""Which schema an editor validates specs with, and how a file refers to it."""

from __future__ import annotations

import os
from argparse import ArgumentParser
from pathlib import Path

NAME = "schedule.schema.json"
"""The file name of the schema for any schedule."""

WRITES_IT = f"create it with `olm schema --out {NAME}`"


def add_schema(parser: ArgumentParser) -> None:
    """Add the option for the location of the schema."""
    parser.add_argument(
        "--schema",
        metavar="PATH|URL",
        help=f"the schema (default: {NAME}, here or in `schemas`, or in a folder above)",
    )


def schema_near(folder: Path) -> str | None:
    """The schema in a folder, or in the nearest folder above in the same repository.

    It may be in the subfolder `schemas`.
    """
    for above in (folder.resolve(), *folder.resolve().parents):
        for schema in (above / NAME, above / "schemas" / NAME):
            if schema.is_file():
                return str(schema)
        if (above / ".git").exists():
            break
    return None


def reference(schema: str, folder: Path) -> str:
    """A schema as a file in a folder refers to it: a URL, or a path relative to the folder.

    >>> reference("schemas/schedule.schema.json", Path("specs"))
    '../schemas/schedule.schema.json'
    >>> reference("https://example.org/schedule.schema.json", Path("specs"))
    'https://example.org/schedule.schema.json'
    """
    return schema if is_url(schema) else Path(os.path.relpath(schema, folder)).as_posix()


def is_url(schema: str) -> bool:
    """Whether a schema is a URL rather than a path."""
    return "://" in schema
