"""Rules that select parameters of a model by their names or their shapes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import Enum
from itertools import combinations
from typing import Any

from torch.nn import Parameter

from olm.problem import OlmError, clipped, found, listed, quantity
from olm.train.parameter_names import Parameters

NAMED = 3
"""The most parameter names in one message."""


class ShapeRule(Enum):
    """A rule about the shape of a parameter."""

    ONE_DIMENSIONAL = "at most one dimension"


ONE_DIMENSIONAL = ShapeRule.ONE_DIMENSIONAL
"""The rule for parameters with at most one dimension: biases, the scales of norms, scalars."""

Pattern = str | ShapeRule
"""A regular expression that is searched for in the name of a parameter, or a shape."""

Patterns = Pattern | Iterable[Pattern]
"""One pattern, or several, of which one must match."""


@dataclass(frozen=True)
class Rule:
    """A pattern, and the argument that it came from."""

    argument: str
    pattern: ShapeRule | re.Pattern[str]

    def matches(self, name: str, parameter: Parameter) -> bool:
        """Whether the rule selects a parameter."""
        if isinstance(self.pattern, ShapeRule):
            # DeepSpeed's ZeRO 3 empties a parameter and keeps its shape beside it.
            return len(getattr(parameter, "ds_shape", parameter.shape)) <= 1
        return self.pattern.search(name) is not None


def rules_of(argument: str, patterns: Patterns) -> tuple[Rule, ...]:
    """The rules of an argument.

    >>> rules_of("no_decay", [r"bias$"])[0].argument
    'no_decay[0]'

    Raises:
        OlmError: a pattern is neither a regular expression nor a shape.
    """
    if isinstance(patterns, str | ShapeRule):
        return (_rule(argument, patterns),)
    if not isinstance(patterns, Iterable) or isinstance(patterns, Mapping | bytes):
        raise _no_pattern(argument, patterns)
    return tuple(_rule(f"{argument}[{n}]", pattern) for n, pattern in enumerate(patterns))


def _rule(argument: str, pattern: Pattern) -> Rule:
    if isinstance(pattern, ShapeRule):
        return Rule(argument, pattern)
    if not isinstance(pattern, str):
        raise _no_pattern(argument, pattern)
    try:
        return Rule(argument, re.compile(pattern))
    except re.error as error:
        raise OlmError(
            f"{argument}: `{clipped(pattern)}` is not a regular expression: {error}; any text is "
            r"`.*`, a dot `\.`"
        ) from None


def _no_pattern(argument: str, value: Any) -> OlmError:
    return OlmError(
        rf"{argument} must be a regular expression such as r'\.bias$', or a list of them, "
        f"found {found(value)}"
    )


def selected(rules: Iterable[Rule], parameters: Parameters) -> dict[Rule, list[str]]:
    """The names of the parameters that each rule matches.

    Raises:
        OlmError: some rules match no parameter, or ask for a shape where no parameter has its own.
    """
    rules = list(rules)
    for rule in rules:
        if parameters.flattened and isinstance(rule.pattern, ShapeRule):
            raise OlmError(
                f"{rule.argument}: FullyShardedDataParallel has made every parameter "
                "one-dimensional: use fully_shard, or patterns for the names"
            )
    by_name = parameters.by_name.items()
    names = {rule: [name for name, each in by_name if rule.matches(name, each)] for rule in rules}
    if unused := [_unused(rule, parameters) for rule in rules if not names[rule]]:
        raise OlmError("\n".join(unused))
    return names


def exclusive(
    choices: Mapping[str, Iterable[Rule]], names: Mapping[Rule, list[str]]
) -> dict[str, str]:
    """The choice for every parameter that the rules of one of some choices match.

    Raises:
        OlmError: rules of two choices match the same parameter.
    """
    matched = [
        (choice, rule, {*names[rule]}) for choice, rules in choices.items() for rule in rules
    ]
    for (one, first, ours), (other, second, theirs) in combinations(matched, 2):
        if one != other and (both := [name for name in names[first] if name in ours & theirs]):
            raise OlmError(f"{first.argument} and {second.argument} both match {some(both)}")
    return {name: choice for choice, rule, _ in matched for name in names[rule]}


def some(names: list[str]) -> str:
    """The first of some names, and how many more there are.

    >>> some(["a", "b", "c", "d"])
    'a, b, c and 1 other parameter'
    """
    more = len(names) - NAMED
    shown = listed(names[:NAMED])
    return f"{shown} and {quantity(more, 'other parameter')}" if more > 0 else shown


def _unused(rule: Rule, parameters: Parameters) -> str:
    """The message for a rule that matches no parameter."""
    if isinstance(rule.pattern, ShapeRule):
        return f"{rule.argument}: no parameter has {rule.pattern.value}"
    message = f"{rule.argument}: `{clipped(rule.pattern.pattern)}` matches no parameter"
    for alias, name in parameters.aliases.items():
        if rule.pattern.search(alias):
            return f"{message}: {alias} is the parameter {name}, which is known by that name"
    if near := _nearest(rule.pattern.pattern, parameters.by_name):
        return f"{message}; the nearest are {listed(near)}"
    return f"{message}; the parameters are {some(list(parameters.by_name))}"


def _nearest(pattern: str, names: Iterable[str]) -> list[str]:
    """The names with the part that is most like the pattern."""
    # Layers repeat the same names with other numbers.
    distinct = {re.sub(r"\d+", "0", name): name for name in reversed([*names])}
    runs = {run: name for structure, name in distinct.items() for run in _runs(structure)}
    near = get_close_matches(_literal(pattern), runs, n=NAMED, cutoff=0.6)
    return [*dict.fromkeys(runs[run] for run in near)]


def _literal(pattern: str) -> str:
    r"""A regular expression as the text that it probably means.

    >>> _literal(r"^block\.(\d+)\.")
    'block.0'
    """
    text = re.sub(r"\\d\+?|\[0-9\]\+?", "0", pattern)
    return re.sub(r"\\[a-zA-Z]|[^\w.]", "", text.replace(r"\.", ".")).strip(".")


def _runs(name: str) -> Iterator[str]:
    """The parts of a name, each of one or several segments."""
    parts = name.split(".")
    for start, end in combinations(range(len(parts) + 1), 2):
        yield ".".join(parts[start:end])
