"""The layers of a model, numbered from its input to its output by rules for parameter names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from olm.problem import OlmError, clipped, found, listed
from olm.train.parameter_names import Parameters
from olm.train.parameter_rules import Patterns, Rule, exclusive, rules_of

FIRST, AFTER = (0,), (2,)
"""What sorts before all layers with a number, which begin with 1, and after them."""


@dataclass(frozen=True)
class LayerRules:
    """Which parameters come before the numbered layers, are in them, and go with their last."""

    first: tuple[Rule, ...] = ()
    layers: tuple[Rule, ...] = ()
    last: tuple[Rule, ...] = ()

    @property
    def rules(self) -> tuple[Rule, ...]:
        """All rules."""
        return self.first + self.layers + self.last


@dataclass(frozen=True)
class Layers:
    """The layer of every parameter that a rule matches; the others are in the highest."""

    number_of: dict[str, int]
    highest: int

    def below_highest(self, name: str) -> int:
        """How many layers the layer of a parameter is below the highest."""
        return self.highest - self.number_of.get(name, self.highest)

    def label(self, name: str) -> str:
        """The layer of a parameter as part of a group's name, with its number padded.

        >>> Layers({"blocks.0.weight": 1}, highest=13).label("blocks.0.weight")
        'layer_01'
        """
        width = max(2, len(str(self.highest)))
        return f"layer_{self.number_of.get(name, self.highest):0{width}}"


def layer_rules(layers: str | None, first: Patterns, last: Patterns) -> LayerRules:
    """The rules of the arguments of `param_groups`.

    Raises:
        OlmError: a rule is no regular expression, or `layers` has no capturing group.
    """
    before, after = rules_of("first", first), rules_of("last", last)
    if layers is None:
        if before or after:
            raise OlmError(f"{'first' if before else 'last'} needs layers, the rule for the others")
        return LayerRules()
    if not isinstance(layers, str):
        raise OlmError(
            r"layers must be a regular expression such as r'^blocks\.(\d+)\.', "
            f"found {found(layers)}"
        )
    numbered = rules_of("layers", layers)
    if isinstance(pattern := numbered[0].pattern, re.Pattern) and not pattern.groups:
        raise OlmError(
            rf"layers: `{clipped(layers)}` has no capturing group for the number of a layer, as "
            r"`^blocks\.(\d+)\.` has"
        )
    return LayerRules(before, numbered, after)


def number_layers(
    rules: LayerRules, matched: Mapping[Rule, list[str]], parameters: Parameters
) -> Layers | None:
    """Number the layers without gaps; None if there is no rule for them.

    Raises:
        OlmError: a parameter is in two layers, or the number of its layer is not one.
    """
    if not rules.layers:
        return None
    sides = {"first": rules.first, "layers": rules.layers, "last": rules.last}
    side_of = exclusive(sides, matched)
    places = {name: _place(rules.layers[0], name) for name in matched[rules.layers[0]]}
    last = max(places.values())
    places |= {
        name: FIRST if side == "first" else last
        for name, side in side_of.items()
        if side != "layers"
    }
    others = parameters.by_name.keys() - places.keys()
    ordered = sorted({*places.values()} | ({AFTER} if others else set()))
    numbers = {place: number for number, place in enumerate(ordered)}
    return Layers({name: numbers[place] for name, place in places.items()}, len(ordered) - 1)


def _place(rule: Rule, name: str) -> tuple[int, ...]:
    """What a layer is sorted by: the numbers in the name of a parameter."""
    assert isinstance(rule.pattern, re.Pattern)
    match = rule.pattern.search(name)
    assert match
    try:
        return (1, *(int(number) for number in match.groups() if number is not None))
    except ValueError:
        raise OlmError(
            f"layers: the capturing groups of `{clipped(rule.pattern.pattern)}` must match whole "
            f"numbers, found {listed(map(repr, match.groups()))} in {name}"
        ) from None
