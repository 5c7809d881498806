"""Param groups of a model by rules for the names of its parameters."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor
from torch.nn import Module, Parameter

from olm.problem import OlmError, listed, quantity
from olm.train.group_arguments import check_numbers, part_rules
from olm.train.layer_numbers import Layers, layer_rules, number_layers
from olm.train.parameter_names import Parameters, parameters_of
from olm.train.parameter_rules import Patterns, exclusive, rules_of, selected

_log = logging.getLogger("olm")


def param_groups(
    model: Module,
    *,
    lr: float | Tensor,
    weight_decay: float | None = None,
    no_decay: Patterns = (),
    layers: str | None = None,
    first: Patterns = (),
    last: Patterns = (),
    layer_decay: float | None = None,
    named: Mapping[str, Patterns] | None = None,
    lr_factors: Mapping[str, float] | None = None,
) -> list[dict[str, Any]]:
    r"""Named param groups of a model, for any optimizer of torch.

    >>> from torch import nn
    >>> from olm.train import ONE_DIMENSIONAL
    >>> body = nn.ModuleList(nn.Linear(4, 4) for _ in range(2))
    >>> model = nn.ModuleDict({"embed": nn.Linear(2, 4), "blocks": body, "head": nn.Linear(4, 1)})
    >>> groups = param_groups(
    ...     model, lr=0.1, weight_decay=0.05, no_decay=ONE_DIMENSIONAL, named={"head": r"^head\."},
    ...     layers=r"^blocks\.(\d+)\.", first=r"^embed\.", layer_decay=0.5,
    ... )
    >>> for group in groups:
    ...     print(group["name"], group["lr"], group["weight_decay"])
    layer_00/wd 0.0125 0.05
    layer_00/no_wd 0.0125 0.0
    layer_01/wd 0.025 0.05
    layer_01/no_wd 0.025 0.0
    layer_02/wd 0.05 0.05
    layer_02/no_wd 0.05 0.0
    head/wd 0.1 0.05
    head/no_wd 0.1 0.0

    A parameter has a layer, a part and a decay, and a group is the parameters with the same three.
    Its name lists them, without those that no rule is about. A pattern is a regular expression that
    is searched for (``re.search``) in the names of ``named_parameters()``, without what DDP, FSDP
    and ``torch.compile`` put in front. A shared parameter has its first name. Frozen parameters
    (``requires_grad`` is false) are in no group; the logger ``olm`` lists them. Call it after
    ``fully_shard``, which replaces the parameters.

    Args:
        model: the model, or its wrapper.
        lr: the rate of the highest layer and of all parameters without a factor.
        weight_decay: the weight decay; without it, the optimizer's own.
        no_decay: which parameters have a weight decay of 0 (``no_wd``): patterns, or
            `ONE_DIMENSIONAL`. The others are ``wd``.
        layers: which parameters are in a layer: a pattern whose capturing groups match its number.
            Layers are numbered in the order of these numbers, from ``layer_00``.
        first: which parameters are in a layer below these, such as embeddings.
        last: which parameters are in the last of these, such as timm's final norm. All others, such
            as the head, are in a layer above it.
        layer_decay: what the rate is multiplied by once for every layer above a parameter's.
        named: which parameters are in a part, by its name. Where no other parameter has a part or
            a layer, the others are ``rest``.
        lr_factors: what the rate of a part is multiplied by, if not by 1.

    Returns:
        The groups: ``name``, ``params`` (pairs of a name and a parameter), ``lr`` and, if there is
        one, ``weight_decay``.

    Raises:
        TypeError: the model is not a module.
        OlmError: a rule matches no parameter, two parts or two layers have the same parameter, a
            factor is of no part, or a value is invalid.

    Source: BEiT (Bao et al., 2021), ``optim_factory.py``; MAE (He et al., 2021),
    ``util/lr_decay.py``; timm 1.0.31, ``param_groups_layer_decay``.
    """
    check_numbers(lr=lr, weight_decay=weight_decay, layer_decay=layer_decay)
    parts = part_rules(named or {}, lr_factors or {})
    undecayed = rules_of("no_decay", no_decay)
    numbering = layer_rules(layers, first, last)
    if layer_decay is not None and layers is None:
        raise OlmError("layer_decay needs layers, the rule for the numbers of layers")
    parameters = parameters_of(model)
    all_rules = [
        *undecayed,
        *numbering.rules,
        *(rule for rules in parts.values() for rule in rules),
    ]
    matched = selected(all_rules, parameters)
    axes = _Axes(
        number_layers(numbering, matched, parameters),
        exclusive(parts, matched) if named else None,
        {name for rule in undecayed for name in matched[rule]} if undecayed else None,
    )
    groups: dict[str, dict[str, Any]] = {}
    for name, parameter in _trainable(parameters).items():
        if (group := axes.group(name)) not in groups:
            # A tensor is multiplied as well, so that no two groups share it.
            rate = lr * axes.scale(name, layer_decay) * axes.factor(name, lr_factors or {})
            groups[group] = {
                "name": group,
                "params": [],
                "lr": rate,
                **axes.decay(name, weight_decay),
            }
        groups[group]["params"].append((name, parameter))
    return list(groups.values())


@dataclass(frozen=True)
class _Axes:
    """What the rules say about each parameter; None where there are no rules."""

    layers: Layers | None
    parts: dict[str, str] | None
    undecayed: set[str] | None

    def group(self, name: str) -> str:
        """The name of the group of a parameter."""
        part = self.parts.get(name) if self.parts is not None else None
        segments = []
        if self.layers and (part is None or name in self.layers.number_of):
            segments.append(self.layers.label(name))
        if part or (self.parts is not None and not segments):
            segments.append(part or "rest")
        if self.undecayed is not None:
            segments.append("no_wd" if name in self.undecayed else "wd")
        return "/".join(segments) or "all"

    def scale(self, name: str, layer_decay: float | None) -> float:
        """What the rate of a parameter is multiplied by for its layer."""
        if self.layers is None or layer_decay is None:
            return 1.0
        return float(layer_decay ** self.layers.below_highest(name))

    def factor(self, name: str, factors: Mapping[str, float]) -> float:
        """What the rate of a parameter is multiplied by for its part."""
        return factors.get((self.parts or {}).get(name, ""), 1.0)

    def decay(self, name: str, weight_decay: float | None) -> dict[str, float]:
        """The weight decay of a parameter, as a part of its group."""
        if name in (self.undecayed or ()):
            return {"weight_decay": 0.0}
        return {} if weight_decay is None else {"weight_decay": weight_decay}


def _trainable(parameters: Parameters) -> dict[str, Parameter]:
    """The parameters that are not frozen; the others, and the shared ones, are logged."""
    frozen = [name for name, each in parameters.by_name.items() if not each.requires_grad]
    if len(frozen) == len(parameters.by_name):
        raise OlmError("every parameter of the model is frozen: requires_grad is false")
    if frozen:
        _log.info(
            "%s in no param group, requires_grad is false: %s",
            quantity(len(frozen), "frozen parameter"),
            listed(frozen),
        )
    for alias, name in parameters.aliases.items():
        _log.info("%s is the parameter %s: the rules for that name apply", alias, name)
    return {name: each for name, each in parameters.by_name.items() if each.requires_grad}
