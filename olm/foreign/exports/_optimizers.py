"""The optimizer of an exported configuration: the numbers that a spec has under `optimizer`."""

from __future__ import annotations

from typing import Any

from olm.foreign.exports._candidates import as_yaml
from olm.foreign.exports._targets import Run
from olm.spec.hyperparameters import LR, split

DEFAULT_BETAS = (0.9, 0.999)
"""Those of torch's Adam and AdamW, for the one that a spec does not have."""

OF_SGD = ("momentum", "dampening", "nesterov")
"""The numbers that only SGD has."""


def optimizer_arguments(
    run: Run, betas: tuple[float, float] = DEFAULT_BETAS
) -> dict[str, float | list[float]]:
    """The base rate and the other numbers of the optimizer, as arguments of its class.

    >>> from olm.spec.spec import parse
    >>> spec = parse({"kind": "HoldLR", "optimizer": {"lr": 0.1, "betas": [0.8, 0.95]}})
    >>> optimizer_arguments(Run(spec, 0.1, 5))
    {'lr': 0.1, 'betas': [0.8, 0.95]}

    Args:
        run: the run.
        betas: the defaults of the framework, for a spec that has one of `betas`.
    """
    arguments: dict[str, Any] = {LR: run.base}
    for key, number in run.spec.optimizer:
        name, index = split(key)
        if index is None:
            arguments.setdefault(name, number)
            continue
        numbers = arguments.setdefault(name, [*betas] if name == "betas" else [])
        numbers += [0.0] * (index + 1 - len(numbers))
        numbers[index] = number
    return arguments


def optimizer_class(run: Run) -> str:
    """The class of torch that has the numbers: a spec does not name its optimizer.

    >>> from olm.spec.spec import parse
    >>> optimizer_class(Run(parse({"kind": "HoldLR", "optimizer": {"momentum": 0.9}}), 0.1, 5))
    'SGD'
    """
    names = {name for name, _ in run.spec.optimizer}
    return "SGD" if names.intersection(OF_SGD) else "AdamW"


def yaml_with_choice(run: Run, settings: dict[str, Any], name: str) -> str:
    """The text of settings with a class of optimizer that was chosen."""
    head, _, lines = as_yaml(run, settings).partition("\n")
    return f"{head}\n# {choice(name)}\n{lines}"


def choice(name: str) -> str:
    """The sentence about a class of optimizer that was chosen."""
    return f"A spec does not name its optimizer: {name} has the numbers of this one."
