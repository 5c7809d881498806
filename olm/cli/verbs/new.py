"""``olm new``: write a spec of a kind, to be completed."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from olm.cli import FINE, MISUSE
from olm.cli.plugins import model_of, plugins
from olm.cli.schema_line import NAME, add_schema, is_url, reference, schema_near
from olm.fields.types import memory_fields
from olm.kinds import GROUPS, KINDS
from olm.schema.completion import snippet
from olm.schema.documentation import fields, plain, summary

if TYPE_CHECKING:
    from olm.schedule.schedule import Schedule

SUMMARY = "create a spec of a kind"

EPILOG = """\
Required fields have example values; optional fields are comments with their defaults. The
first line names the schema for an editor.

example:
  $ olm new LinearLR --schema schemas/schedule.schema.json
  # yaml-language-server: $schema=schemas/schedule.schema.json
  # A straight line from start_factor times the base rate to end_lr.
  kind: LinearLR
  # The step at which the rate reaches end_lr, where it holds.
  total_steps: 100
  # Optional fields with their defaults:
  # end_lr: 0.0  # The rate at total_steps and after.
  # start_factor: 1.0  # What the base rate is multiplied by at step 0.
"""

WIDTH = 100


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "kind", nargs="?", metavar="KIND", help="the kind (default: list all kinds)"
    )
    parser.add_argument(
        "--out", metavar="FILE", help="write to a file: YAML, or JSON if the name ends with .json"
    )
    parser.add_argument("--force", action="store_true", help="overwrite an existing file")
    parser.add_argument(
        "--all", action="store_true", help="write optional fields as fields, not as comments"
    )
    add_schema(parser)


def run(args: Namespace) -> int:
    """Print or write a spec, or list the kinds."""
    if args.kind is None:
        print("\n".join(_kinds()))
        return FINE
    model = model_of(args.kind, _values)
    if isinstance(model, str):
        print(f"olm new: {model}", file=sys.stderr)
        return MISUSE
    file = Path(args.out or "spec.olm.yaml")
    schema = args.schema or schema_near(file.parent)
    named = reference(schema, file.parent) if schema else None
    write = as_json if file.suffix == ".json" else as_yaml
    text = write(model, named, everything=args.all)
    if args.out is None:
        print(text, end="")
        return FINE
    return _write(file, text, over=args.force)


def as_yaml(model: type[Schedule], schema: str | None, *, everything: bool = False) -> str:
    """A spec of a kind in YAML, with comments on its fields.

    Args:
        model: the kind.
        schema: the reference to the schema; without one, a comment explains how to get it.
        everything: whether optional fields are fields, not comments.
    """
    lines = [*_first(schema), *_comment(plain(summary(model)))]
    lines.append(f"kind: {model.model_fields['kind'].default}")
    needed, optional = _values(model)
    meanings = {field.name: plain(field.text) for field in fields(model)}
    for name, value in (needed | (optional if everything else {})).items():
        lines += [*_comment(meanings[name]), *_yaml(name, value)]
    if optional and not everything:
        lines.append("# Optional fields with their defaults:")
        for name, value in optional.items():
            lines += _left_out(_yaml(name, value), meanings[name])
    return "\n".join(lines) + "\n"


def as_json(model: type[Schedule], schema: str | None, *, everything: bool = False) -> str:
    """A spec of a kind in JSON, which has no comments; for the arguments, see `as_yaml`."""
    needed, optional = _values(model)
    spec = {"$schema": schema} if schema else {}
    spec |= {"kind": model.model_fields["kind"].default, **needed}
    return json.dumps(spec | (optional if everything else {}), indent=2) + "\n"


def _values(model: type[Schedule]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The required fields with the values of the first example, and the optional fields."""
    example = next(iter(model.examples), {})
    needed = {name: example.get(name) for name in snippet(model)["body"] if name != "kind"}
    optional = {
        field.name: json.loads(field.default)
        for field in fields(model)
        if field.default is not None and field.name not in {*needed, *memory_fields(model)}
    }
    return needed, optional


def _first(schema: str | None) -> Iterator[str]:
    if schema:
        # Language servers read up to the next space, and decode the text.
        encoded = schema if is_url(schema) else schema.replace("%", "%25").replace(" ", "%20")
        yield f"# yaml-language-server: $schema={encoded}"
    else:
        yield f"# For completion and validation in an editor, run `olm schema --out {NAME}`"
        yield f"# and make the first line `# yaml-language-server: $schema={NAME}`."


def _comment(text: str) -> Iterator[str]:
    return (f"# {line}" for line in wrap(text, WIDTH - 2))


def _yaml(name: str, value: Any) -> list[str]:
    import yaml

    text: str = yaml.safe_dump({name: value}, sort_keys=False, width=WIDTH)
    return text.splitlines()


def _left_out(lines: list[str], meaning: str) -> Iterator[str]:
    """A field as a comment, with its meaning after it, or above it where the line is too long."""
    sentence = meaning.partition(". ")[0].rstrip(".") + "."
    in_one = f"# {lines[0]}  # {sentence}"
    if len(lines) == 1 and len(in_one) <= WIDTH:
        yield in_one
    else:
        yield from _comment(sentence)
        yield from (f"# {line}" for line in lines)


def _kinds() -> Iterator[str]:
    own = {kind: model.group for kind, model in KINDS.items() if "." not in kind}
    groups = {group.upper(): [kind for kind in own if own[kind] == group] for group in GROUPS}
    for package, models in plugins("new", _values).items():
        groups[f"FROM {package}"] = [model.model_fields["kind"].default for model in models]
    for heading, names in groups.items():
        yield heading
        yield from wrap(", ".join(names), WIDTH, initial_indent="  ", subsequent_indent="  ")
    yield "`olm new KIND` writes a spec of a kind, `olm kinds` describes the kinds."


def _write(file: Path, text: str, *, over: bool) -> int:
    try:
        with file.open("w" if over else "x", encoding="utf-8", newline="\n") as out:
            out.write(text)
    except FileExistsError:
        print(f"olm new: {file} already exists: --force overwrites it", file=sys.stderr)
        return MISUSE
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        print(f"olm new: cannot write {file}: {reason}", file=sys.stderr)
        return MISUSE
    print(f"wrote {file}")
    return FINE
