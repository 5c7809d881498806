"""Which schema an editor should check specs by, and how a file names it."""

from __future__ import annotations

import os
from argparse import ArgumentParser
from pathlib import Path

NAME = "schedule.schema.json"
"""What the schema of any schedule is called, here and by ``olm schema``."""

WRITES_IT = f"`olm schema --out {NAME}` writes it"


def add_schema(parser: ArgumentParser) -> None:
    """The option that says where the schema is."""
    parser.add_argument(
        "--schema",
        metavar="PATH|URL",
        help=f"the schema; without it {NAME} is looked for, here and above, also in `schemas`",
    )


def schema_near(folder: Path) -> str | None:
    """The schema in a folder or the nearest one above, no further than the root of a repository.

    It may be in `schemas` there.
    """
    for above in (folder.resolve(), *folder.resolve().parents):
        for schema in (above / NAME, above / "schemas" / NAME):
            if schema.is_file():
                return str(schema)
        if (above / ".git").exists():
            break
    return None


def reference(schema: str, folder: Path) -> str:
    """A schema as a file in a folder names it: a URL as it is, a path from there.

    >>> reference("schemas/schedule.schema.json", Path("specs"))
    '../schemas/schedule.schema.json'
    >>> reference("https://example.org/schedule.schema.json", Path("specs"))
    'https://example.org/schedule.schema.json'
    """
    return schema if is_url(schema) else Path(os.path.relpath(schema, folder)).as_posix()


def is_url(schema: str) -> bool:
    """Whether it is a URL rather than a path."""
    return "://" in schema
