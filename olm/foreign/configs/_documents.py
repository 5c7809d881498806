"""Parts of spec documents that several formats are translated to, and where a format's keys are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import accumulate
from typing import Any

from olm.foreign.configs._config import REQUIRED, Config
from olm.problem import Path, dotted, listed

Document = dict[str, Any]


def ramp(steps: int | str, **fields: Any) -> Document:
    """A ramp, by default from the base rate to zero."""
    return {"kind": "RampLR", "total_steps": steps, **fields}


def rise(steps: int | str) -> Document:
    """A straight line from zero at step 0 to the base rate."""
    return ramp(steps, start_factor=0.0, end_factor=1.0)


def sequence(*parts: tuple[Document, int], last: Document) -> Document:
    """Schedules for a number of steps each, without those for no step, then the last one."""
    used = [(document, steps) for document, steps in parts if steps]
    if not used:
        return last
    documents, lengths = zip(*used, strict=True)
    milestones = [*accumulate(lengths)]
    return {"kind": "SequentialLR", "schedulers": [*documents, last], "milestones": milestones}


def shifted(document: Document, steps: int, axis: str = "") -> Document:
    """A schedule whose clock is some steps ahead, or samples or tokens."""
    on_axis = {"axis": axis} if axis else {}
    shift = {"shift": steps} if steps else {}
    return (
        {"kind": "TimeLR", **on_axis, **shift, "scheduler": document} if axis or steps else document
    )


def at_least(document: Document, lr: float) -> Document:
    """A schedule whose rate is never below another."""
    if lr <= 0:
        return document
    return {"kind": "MaximumLR", "schedulers": [document, {"kind": "HoldLR", "fixed_lr": lr}]}


def paths_to(value: Any, *keys: str) -> Iterator[Path]:
    """The mappings at any depth that have nested keys, by their paths.

    >>> [*paths_to({"model": {"optim": {"sched": {"name": "CosineAnnealing"}}}}, "optim", "sched")]
    [('model',)]
    """
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from ((index, *path) for path in paths_to(item, *keys))
    if isinstance(value, Mapping):
        inside: Any = value
        for key in keys:
            inside = inside.get(key) if isinstance(inside, Mapping) else None
        if inside is not None:
            yield ()
        for name, item in value.items():
            yield from ((name, *path) for path in paths_to(item, *keys))


def only_path(config: Config, *keys: str) -> Path:
    """Where the one mapping is that has nested keys.

    Raises:
        Refusal: there are several, or none.
    """
    found = [*paths_to(config.peek(), *keys)]
    if len(found) == 1:
        return found[0]
    if not found:
        raise config.refusal("needs-key", f"the key `{dotted(keys)}` is missing")
    places = listed([dotted(path) or "the whole file" for path in found], "and")
    text = f"there is more than one schedule: {places}"
    hint = f"choose one with --at, such as --at {dotted(found[-1])}"
    raise config.refusal("not-one-schedule", text, found[-1], hint=hint)


def base_rate(config: Config, *path: str | int, default: Any = REQUIRED) -> float:
    """The base rate: the user's, else the one at a path.

    Raises:
        Refusal: it is missing, or not above 0.
    """
    lr: float = config.option("learning_rate") or config.number(*path, default=default)
    if not lr > 0:
        raise config.refusal("type", f"`{dotted(path)}` must be above 0, found {lr}", path)
    return lr


def count(config: Config, *path: str | int, default: Any = REQUIRED) -> int:
    """The whole number at a path, by which something is divided.

    Raises:
        Refusal: it is missing, or below 1.
    """
    number: int = config.whole(*path, default=default)
    if number < 1:
        raise config.refusal("type", f"`{dotted(path)}` must be at least 1, found {number}", path)
    return number


def betas_and_decay(config: Config, *optimizer: str | int) -> dict[str, float]:
    """Weight decay, momentum and both betas, as far as an optimizer's keys have them."""
    numbers: dict[str, float] = {}
    for key in ("weight_decay", "momentum"):
        if config.has(*optimizer, key):
            numbers[key] = config.number(*optimizer, key)
    betas = config.peek(*optimizer, "betas")
    for index in range(2 if isinstance(betas, list | tuple) and len(betas) == 2 else 0):
        numbers[f"betas[{index}]"] = config.number(*optimizer, "betas", index)
    return numbers
