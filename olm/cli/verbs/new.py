"""``olm new``: write a spec of a kind, to be completed."""

from __future__ import annotations

import json
import re
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from textwrap import wrap
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from olm.cli import FINE, MISUSE
from olm.cli.plugins import model_of, plugins
from olm.cli.schema_line import NAME, add_schema, is_url, reference, schema_near
from olm.fields.foreign_kinds import readable, reading
from olm.fields.types import memory_fields
from olm.kinds import GROUPS, KINDS
from olm.problem import SpecError, clipped, listed, nearest
from olm.schema.completion import snippet
from olm.schema.documentation import fields, plain, summary
from olm.spec.hyperparameters import KNOWN, LR

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

A schedule's name in another framework also works, with the framework if frameworks differ:
`olm new constant_with_warmup`, `olm new transformers.cosine`.

With --from, it is a copy of a recipe:
  $ olm new --from bert-base --out bert.olm.yaml
  wrote bert.olm.yaml

With --also, which may be repeated, the spec schedules other numbers besides the learning rate:
  $ olm new LinearLR --also weight_decay=RampLR --also lr:head=HoldLR --also ema=RampLR
"""

WIDTH = 100

_NO_FIELDS: Mapping[str, Any] = MappingProxyType({})

MEANINGS = {
    "set": "A hyperparameter of the param groups: factors multiply each group's own number.",
    "value": "A value that the training loop asks for, with scheduler.values().",
    "scaled_by": "The learning rate of some param groups, as a factor of that of the others.",
}
"""What a target is, by its first key or by the key of its schedule."""

OF_GROUPS = (
    "# The names of the optimizer's param groups, and the numbers it is constructed with:",
    "# param_groups: [decay, no_decay]",
    "# optimizer: {lr: 3.0e-4, weight_decay: 0.04}",
)


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "kind", nargs="?", metavar="KIND", help="the kind (default: list all kinds)"
    )
    parser.add_argument(
        "--out", metavar="FILE", help="write to a file: YAML, or JSON if the name ends with .json"
    )
    parser.add_argument(
        "--from", dest="recipe", metavar="RECIPE", help="copy a recipe: `olm recipes` lists them"
    )
    parser.add_argument("--force", action="store_true", help="overwrite an existing file")
    parser.add_argument(
        "--all", action="store_true", help="write optional fields as fields, not as comments"
    )
    parser.add_argument(
        "--also",
        type=target,
        action="append",
        default=[],
        metavar="NUMBER[:GROUP]=KIND",
        help="schedule another number as well: a hyperparameter, of all param groups or one, or "
        "a value for the training loop",
    )
    add_schema(parser)


def target(text: str) -> dict[str, Any]:
    """A target as an argument, with the name of its kind in place of its schedule.

    >>> target("weight_decay=RampLR"), target("ema=HoldLR")
    ({'set': 'weight_decay', 'schedule': 'RampLR'}, {'value': 'ema', 'schedule': 'HoldLR'})
    >>> target("lr:head=HoldLR")
    {'set': 'lr', 'groups': 'head', 'scaled_by': 'HoldLR'}
    """
    match = re.fullmatch(r"([^:=\s]+)(?::([^=]+))?=(\S+)", text)
    if match is None:
        example = "such as weight_decay=RampLR or lr:head=HoldLR"
        raise ArgumentTypeError(f"must be NUMBER=KIND or NUMBER:GROUP=KIND, {example}")
    number, groups, kind = match.groups()
    of = {"set": number} if groups or number in KNOWN else {"value": number}
    field = "scaled_by" if number == LR else "schedule"
    return of | ({"groups": groups} if groups else {}) | {field: kind}


def run(args: Namespace) -> int:
    """Print or write a spec, or list the kinds."""
    if args.recipe is not None:
        return _copy(args)
    if args.kind is None:
        print("\n".join(_kinds()))
        return FINE
    model, own = model_of(args.kind, _values), dict[str, Any]()
    if isinstance(model, str) and (foreign := reading(args.kind)) is not None:
        peer, own = foreign
        model = KINDS[peer.kind]
        having = f" with {peer.fields}" if peer.fields else ""
        text = f"`{args.kind}` in {peer.framework} is `{peer.kind}`{having}"
        print(f"olm new: {text}", file=sys.stderr)
    if isinstance(model, str):
        print(f"olm new: {model}{_choices(args.kind)}", file=sys.stderr)
        return MISUSE
    also: list[dict[str, Any]] = []
    for one in args.also:
        field = [*one][-1]
        found = model_of(one[field], _values)
        if isinstance(found, str):
            print(f"olm new: {found}", file=sys.stderr)
            return MISUSE
        also.append({**one, field: found})
    file = Path(args.out or "spec.olm.yaml")
    schema = args.schema or schema_near(file.parent)
    named = reference(schema, file.parent) if schema else None
    write = as_json if file.suffix == ".json" else as_yaml
    text = write(model, named, also, own, everything=args.all)
    if also and (problem := _problem(text)):
        print(f"olm new: --also: {problem}", file=sys.stderr)
        return MISUSE
    if args.out is None:
        print(text, end="")
        return FINE
    return _write(file, text, over=args.force)


def _choices(name: str) -> str:
    """The commands that write a schedule of a name; empty if there are none."""
    names = [f"`olm new {each}`" for each in readable(name)]
    return f" {listed(names, 'or')} writes one" if names else ""


def _copy(args: Namespace) -> int:
    """Print or write the text of a recipe, with the schema that is near."""
    from olm.spec.recipes import recipes

    given = [option for option in ("kind", "also", "all") if getattr(args, option)]
    if given:
        print(f"olm new: --from copies a recipe as it is, without {given[0]}", file=sys.stderr)
        return MISUSE
    if (recipe := recipes().get(args.recipe)) is None:
        meant = nearest(args.recipe, recipes())
        hint = f": did you mean {meant}?" if meant else ": `olm recipes` lists them"
        print(f"olm new: there is no recipe {clipped(args.recipe)}{hint}", file=sys.stderr)
        return MISUSE
    file = Path(args.out or "spec.olm.yaml")
    schema = args.schema or schema_near(file.parent)
    first = _first(reference(schema, file.parent) if schema else None)
    text = "\n".join([*first, *recipe.text.splitlines()[1:]]) + "\n"
    if args.out is None:
        print(text, end="")
        return FINE
    return _write(file, text, over=args.force)


def as_yaml(
    model: type[Schedule],
    schema: str | None,
    also: Sequence[Mapping[str, Any]] = (),
    own: Mapping[str, Any] = _NO_FIELDS,
    *,
    everything: bool = False,
) -> str:
    """A spec of a kind in YAML, with comments on its fields.

    Args:
        model: the kind.
        schema: the reference to the schema; without one, a comment explains how to get it.
        also: the targets, each with a kind as its schedule.
        own: fields with the values that make the kind another framework's schedule.
        everything: whether optional fields are fields, not comments.
    """
    lines = [*_first(schema), *_of_kind(model, everything, WIDTH, own)]
    for index, one in enumerate(also):
        lines += ["also:"] if index == 0 else []
        lines += _of_target(one, everything)
    if any("set" in one for one in also):
        lines += OF_GROUPS
    return "\n".join(lines) + "\n"


def _of_kind(
    model: type[Schedule], everything: bool, width: int, own: Mapping[str, Any] = _NO_FIELDS
) -> Iterator[str]:
    """The lines of a schedule, with comments on its fields."""
    yield from _comment(plain(summary(model)), width)
    yield f"kind: {model.model_fields['kind'].default}"
    needed, optional = _values(model, own)
    meanings = {field.name: plain(field.text) for field in fields(model)}
    for name, value in (needed | (optional if everything else {})).items():
        yield from (*_comment(meanings[name], width), *_yaml(name, value, width))
    if optional and not everything:
        yield "# Optional fields with their defaults:"
        for name, value in optional.items():
            yield from _left_out(_yaml(name, value, width), meanings[name], width)


def _of_target(target: Mapping[str, Any], everything: bool) -> Iterator[str]:
    """The lines of a target, an item of a list."""
    *keys, field = target
    yield f"  # {MEANINGS[field if field == 'scaled_by' else keys[0]]}"
    for index, key in enumerate(keys):
        [line] = _yaml(key, target[key], WIDTH)
        yield f"  {' ' if index else '-'} {line}"
    yield f"    {field}:"
    yield from (f"      {line}" for line in _of_kind(target[field], everything, WIDTH - 6))


def as_json(
    model: type[Schedule],
    schema: str | None,
    also: Sequence[Mapping[str, Any]] = (),
    own: Mapping[str, Any] = _NO_FIELDS,
    *,
    everything: bool = False,
) -> str:
    """A spec of a kind in JSON, which has no comments; for the arguments, see `as_yaml`."""

    def schedule(model: type[Schedule], own: Mapping[str, Any] = _NO_FIELDS) -> dict[str, Any]:
        needed, optional = _values(model, own)
        kind = {"kind": model.model_fields["kind"].default}
        return kind | needed | (optional if everything else {})

    targets = [
        {key: value if isinstance(value, str) else schedule(value) for key, value in one.items()}
        for one in also
    ]
    spec = ({"$schema": schema} if schema else {}) | schedule(model, own)
    return json.dumps(spec | ({"also": targets} if targets else {}), indent=2) + "\n"


def _problem(text: str) -> str:
    """What is wrong with a spec, if there is anything: two targets may not set one number."""
    from olm.spec.load import loads

    try:
        loads(text)
    except SpecError as error:
        return error.problems[0].message
    return ""


def _values(
    model: type[Schedule], own: Mapping[str, Any] = _NO_FIELDS
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The required fields with the values of the first example, and the optional fields."""
    example = next(iter(model.examples), {})
    needed = {name: example.get(name) for name in snippet(model)["body"] if name != "kind"}
    needed |= own
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


def _comment(text: str, width: int) -> Iterator[str]:
    return (f"# {line}" for line in wrap(text, width - 2))


def _yaml(name: str, value: Any, width: int) -> list[str]:
    import yaml

    text: str = yaml.safe_dump({name: value}, sort_keys=False, width=width)
    return text.splitlines()


def _left_out(lines: list[str], meaning: str, width: int) -> Iterator[str]:
    """A field as a comment, with its meaning after it, or above it where the line is too long."""
    sentence = meaning.partition(". ")[0].rstrip(".") + "."
    in_one = f"# {lines[0]}  # {sentence}"
    if len(lines) == 1 and len(in_one) <= width:
        yield in_one
    else:
        yield from _comment(sentence, width)
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
