"""``olm kinds``: list the kinds of schedules, or describe one."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Mapping, Sequence
from inspect import getsource
from textwrap import dedent, indent, wrap

from olm.cli import FINE, MISUSE
from olm.cli.plugins import model_of, plugins
from olm.fields.nicknames import difference
from olm.fields.reproduced import reproduced
from olm.kinds import GROUPS, KINDS
from olm.problem import listed
from olm.schedule.schedule import Schedule
from olm.schema.documentation import docstring, fields, plain, prose, summary

SUMMARY = "list the kinds of schedules, or describe one"

EPILOG = """\
A spec names its kind: `kind: LinearLR`. The other keys are the fields of that kind. The kinds of
installed plugins are listed last.

Every kind can also be the schedule of a target (`also`): of weight decay, of the rate of some param
groups, or of a value that the training loop asks for. `olm new KIND --also weight_decay=KIND`
writes such a spec. The base rate is then the number with which the optimizer was constructed.

example:
  $ olm kinds LinearLR
"""

WIDTH = 96


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("kind", nargs="?", metavar="KIND", help="the kind to describe")


def run(args: Namespace) -> int:
    """Print the list, or one kind."""
    if args.kind is None:
        groups = {group.upper(): _of_group(group) for group in GROUPS}
        for package, models in plugins("kinds", fields).items():
            groups[f"FROM {package}"] = models
        print("\n\n".join("\n".join(_listed(*group)) for group in groups.items()))
        return FINE
    model = model_of(args.kind, fields)
    if isinstance(model, str):
        print(f"olm kinds: {model}", file=sys.stderr)
        return MISUSE
    print("\n\n".join(in_full(model)))
    return FINE


def _of_group(group: str) -> list[type[Schedule]]:
    return [model for kind, model in KINDS.items() if model.group == group and "." not in kind]


def _listed(heading: str, models: Sequence[type[Schedule]]) -> Iterator[str]:
    yield heading
    for model in models:
        yield from in_short(model)


def in_short(model: type[Schedule]) -> Iterator[str]:
    """A kind in two or three lines: its summary, and its required fields."""
    needs = [name for name, field in model.model_fields.items() if field.is_required()]
    yield model.model_fields["kind"].default
    yield from _wrapped(plain(summary(model)))
    yield f"  requires {listed(needs)}" if needs else "  requires no fields"


def in_full(model: type[Schedule]) -> Iterator[str]:
    """A kind in paragraphs: its fields, rules, formula, an example and its source."""
    yield model.model_fields["kind"].default
    for paragraph in plain(prose(model)).split("\n\n"):
        yield "\n".join(_wrapped(paragraph))
    yield "fields\n" + "\n".join(_fields(model))
    if model.rules:
        yield "rules\n" + "\n".join(_rules(model))
    if formula := _formula(model):
        yield "formula\n" + indent(formula, "  ")
    if model.examples:
        yield "example\n" + indent(example(model).rstrip(), "  ")
    if peers := reproduced().get(model.model_fields["kind"].default):
        yield "reproduces, alone or in a composition\n" + "\n".join(_peers(peers))
    if note := difference(model.model_fields["kind"].default):
        yield "elsewhere\n" + "\n".join(_wrapped(note))
    if source := docstring(model).partition("Source:")[2]:
        yield "source\n" + "\n".join(_wrapped(plain(" ".join(source.split()))))


def example(model: type[Schedule]) -> str:
    """The first example of a kind, as a spec in YAML."""
    import yaml

    spec = {"kind": model.model_fields["kind"].default, **model.examples[0]}
    text: str = yaml.safe_dump(spec, sort_keys=False)
    return text


def _peers(peers: Mapping[str, Sequence[str]]) -> Iterator[str]:
    for peer, names in peers.items():
        yield from _wrapped(f"{peer}: {listed(names)}")


def _rules(model: type[Schedule]) -> Iterator[str]:
    for rule in model.rules:
        yield from _wrapped(rule.message.format(**{name: name for name in rule.fields}))


def _formula(model: type[Schedule]) -> str:
    """The body of the formula, with fields and branches by their bare names."""
    try:
        source = getsource(model.formula)
    except OSError:
        # A plugin may come without its source.
        return ""
    body = dedent(source.partition("Array:\n")[2] or source)
    for code in ("self.", "lambda: "):
        body = body.replace(code, "")
    return body.removeprefix("import numpy as np\n\n").rstrip()


def _fields(model: type[Schedule]) -> Iterator[str]:
    for field in fields(model):
        default = "required" if field.default is None else f"default {field.default}"
        yield f"  {field.name}: {field.type}, {default}"
        yield from (f"  {line}" for line in _wrapped(plain(field.text)))


def _wrapped(text: str) -> Iterator[str]:
    yield from wrap(text, WIDTH, initial_indent="  ", subsequent_indent="  ")
