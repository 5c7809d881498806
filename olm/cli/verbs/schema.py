"""``olm schema``: the JSON Schema of specs, for editors and other validators."""

from __future__ import annotations

import json
import shlex
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from olm.cli import FINE, MISUSE, PROBLEMS
from olm.cli.plugins import model_of, plugins
from olm.kinds import KINDS
from olm.problem import listed
from olm.schedule.schedule import Schedule
from olm.schema.json_schema import ORIGIN, kind_schema, schedules_schema, text_of

SUMMARY = "print the JSON Schema of specs, also with the kinds of plugins"

EPILOG = """\
The schema is the one in schemas/schedule.schema.json or, with a kind, in the file of that kind.
It rejects unknown kinds, so an editor underlines `kind: acme.Rex` until it has a schema that was
written --with-plugins, where the package of the plugin is installed. `olm check` needs no schema:
it finds the plugin itself.

examples:
  $ olm schema LinearLR --out linear.schema.json
  $ olm schema LinearLR --check linear.schema.json

exit status: 0 success, 1 a checked file is out of date, 2 usage error
"""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "kind", nargs="?", metavar="KIND", help="the one kind to allow (default: any kind)"
    )
    parser.add_argument(
        "--with-plugins", action="store_true", help="include the kinds of installed plugins"
    )
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--out", type=Path, metavar="FILE", help="write the schema to a file")
    where.add_argument(
        "--check",
        nargs="+",
        type=Path,
        metavar="FILE",
        help="report which of these files are out of date, ignoring their layout",
    )


def run(args: Namespace) -> int:
    """Print or write the schema."""
    kinds = {kind: model for kind, model in KINDS.items() if "." not in kind}
    origin = ORIGIN
    if args.with_plugins:
        brought = plugins("schema", _schema_of)
        kinds |= {name_of(model): model for models in brought.values() for model in models}
        origin = f"Written by olm schema --with-plugins, with {listed(brought) or 'none'}."
    if args.kind is None:
        return _deliver(text_of(schedules_schema(kinds, origin)), args)
    model = model_of(args.kind, _schema_of)
    if isinstance(model, str):
        return _misuse(model)
    return _deliver(text_of(kind_schema(args.kind, kinds | {args.kind: model}, origin)), args)


def name_of(model: type[Schedule]) -> str:
    """The name of a kind.

    >>> name_of(KINDS["LinearLR"])
    'LinearLR'
    """
    name: str = model.model_fields["kind"].default
    return name


def _schema_of(model: type[Schedule]) -> object:
    return kind_schema(name_of(model), {name_of(model): model})


def _deliver(text: str, args: Namespace) -> int:
    if args.check:
        return _compare(text, args)
    if args.out is None:
        print(text, end="")
        return FINE
    try:
        args.out.write_bytes(text.encode())
    except OSError as error:
        return _misuse(f"cannot write {args.out}: {(error.strerror or str(error)).lower()}")
    return FINE


def _compare(text: str, args: Namespace) -> int:
    """Report which files are out of date, and the command that updates them."""
    schema, status = json.loads(text), FINE
    for file in args.check:
        try:
            if _value(file.read_bytes()) == schema:
                continue
        except OSError as error:
            return _misuse(f"cannot read {file}: {(error.strerror or str(error)).lower()}")
        flag = "--with-plugins" if args.with_plugins else None
        command = filter(None, ["olm", "schema", args.kind, flag, "--out", str(file)])
        print(f"{file}: out of date: update it with `{shlex.join(command)}`")
        status = PROBLEMS
    return status


def _value(data: bytes) -> object:
    """The value of JSON; None if it is invalid."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


def _misuse(message: str) -> int:
    print(f"olm schema: {message}", file=sys.stderr)
    return MISUSE
