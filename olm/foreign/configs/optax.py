"""Calls of optax in Python and in notebooks."""

from __future__ import annotations

from collections.abc import Iterator

from olm.foreign.configs._config import Config, Keys, Translation, names
from olm.foreign.configs._formats import Format
from olm.foreign.configs._optax_schedules import base_of, call_of, document_of, schedule_name
from olm.foreign.configs._source import Source
from olm.problem import Path, dotted, listed

RATES = ("learning_rate", "step_size_fn", "step_size")
"""The arguments of optimizers that are rates."""

WEIGHT_DECAY = {"adamw": 1e-4, "nadamw": 1e-4, "lion": 1e-3, "adan": 0.02}
"""The optimizers with a weight decay → its default."""


def translate(config: Config) -> Translation:
    """The schedule of the optimizer, which optax computes in float32.

    Source: optax 0.2.8, ``schedules/_schedule.py`` and ``_join.py``.
    """
    path, optimizer = _chosen(config)
    _check_scales(config, optimizer)
    numbers = _numbers(config, optimizer)
    name = schedule_name(config.peek(*path))
    given = config.option("learning_rate")
    if name is None:
        lr = given or config.number(*path)
        return Translation({"kind": "HoldLR"}, lr, numbers, _clock(config))
    call = call_of(config, path, name)
    base = base_of(call)
    if base <= 0:
        raise config.refusal("type", "the highest rate of the schedule must be above 0", path)
    return Translation(document_of(call, base), given or base, numbers, _clock(config))


def _check_scales(config: Config, optimizer: Path | None) -> None:
    """Refuse a factor beside a schedule in a chain, which multiplies its rates."""
    if optimizer is None or _last_name(config, optimizer) != "scale_by_schedule":
        return
    for path, called in _calls(config.peek(), ()):
        if called == "optax.scale" and config.peek(*path, "*", 0) not in (1, -1):
            text = "this factor multiplies the rates of the schedule"
            raise config.refusal("unsupported-key", text, path)


def _clock(config: Config) -> dict[str, int]:
    total = config.option("total_steps")
    return {"total_steps": total} if total else {}


def _chosen(config: Config) -> tuple[Path, Path | None]:
    """Where the rate is that is translated, and the optimizer that it is of.

    Raises:
        Refusal: there is none, or there are several.
    """
    if schedule_name(config.peek()) is not None:
        return (), None
    # A schedule that has a name is at several places, of which the first is its definition.
    first: dict[int, Path] = {}
    for path, _ in _calls(config.peek(), ()):
        first.setdefault(id(config.peek(*path)), path)
    used: dict[int, tuple[Path, Path | None]] = {}
    for path, name in _calls(config.peek(), ()):
        if _is_optimizer(name) and (rate := _rate(config, path)) is not None:
            key = id(config.peek(*rate))
            used.setdefault(key, (first.get(key, rate), path))
    if not used:
        used = {id(config.peek(*path)): (path, None) for path in _outermost(config)}
    if len(used) == 1:
        return next(iter(used.values()))
    if not used:
        text = "there is no call of a schedule of optax whose arguments are constants"
        raise config.refusal("needs-code", text)
    places = [dotted(path) for path, _ in used.values()]
    text = f"there are several schedules: {listed(places, 'and')}"
    hint = f"choose one with --at, such as --at {places[0]}"
    raise config.refusal("not-one-schedule", text, next(iter(used.values()))[0], hint=hint)


def _calls(value: object, path: Path) -> Iterator[tuple[Path, str]]:
    """The calls at any depth, the outer ones first, with their names."""
    if isinstance(value, dict):
        if isinstance(called := value.get("()"), str):
            yield path, called
        for key, item in value.items():
            yield from _calls(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _calls(item, (*path, index))


def _is_optimizer(called: str) -> bool:
    """Whether a function of optax is no schedule, and not one that chains others."""
    known = called.startswith("optax.") and schedule_name({"()": called}) is None
    return known and called.rpartition(".")[2] not in ("chain", "multi_transform")


def _rate(config: Config, path: Path) -> Path | None:
    """Where the rate of an optimizer is: its schedule or its number."""
    for name in RATES:
        if _is_rate(config.peek(*path, name)):
            return (*path, name)
    first = (*path, "*", 0)
    # A number at the first place is a rate only where the function is known to take one there.
    value = config.peek(*first)
    called = _last_name(config, path)
    is_known = called in OPTIMIZERS or called in ("scale_by_schedule", "scale_by_learning_rate")
    is_rate = schedule_name(value) is not None or (is_known and _is_rate(value))
    return first if is_rate else None


def _last_name(config: Config, path: Path) -> str:
    """The name of an optimizer, also of one inside ``inject_hyperparams``."""
    return str(config.peek(*path, "()")).rstrip(")").rpartition(".")[2]


def _is_rate(value: object) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number or schedule_name(value) is not None


def _outermost(config: Config) -> Iterator[Path]:
    """The schedules that are in no other one."""
    found: list[Path] = []
    for path, called in _calls(config.peek(), ()):
        if schedule_name({"()": called}) is None:
            continue
        if not any(path[: len(outer)] == outer for outer in found):
            found.append(path)
    inside = {id(config.peek(*path)) for outer in found for path in _within(config, outer)}
    yield from (path for path in found if id(config.peek(*path)) not in inside)


def _within(config: Config, outer: Path) -> Iterator[Path]:
    """The calls inside a call."""
    calls = _calls(config.peek(*outer), outer)
    yield from (path for path, _ in calls if path != outer)


def _numbers(config: Config, optimizer: Path | None) -> dict[str, float]:
    """The numbers of an optimizer."""
    if optimizer is None:
        return {}
    numbers: dict[str, float] = {}
    name = _last_name(config, optimizer)
    if name in WEIGHT_DECAY and "mask" not in (config.peek(*optimizer) or {}):
        path = (*optimizer, "weight_decay")
        numbers["weight_decay"] = config.number(*path, default=WEIGHT_DECAY[name])
    for key, target in (("b1", "betas[0]"), ("momentum", "momentum")):
        if isinstance(config.peek(*optimizer, key), int | float):
            numbers[target] = config.number(*optimizer, key)
    return numbers


OPTIMIZERS = names(
    "adabelief adadelta adafactor adagrad adam adamax adamaxw adamw adan amsgrad fromage lamb lars",
    "lion nadam nadamw noisy_sgd novograd optimistic_gradient_descent radam rmsprop rprop sgd",
    "sign_sgd sm3 yogi",
)
"""The optimizers whose first argument is the rate."""


def is_it(source: Source) -> bool:
    """Whether a Python file or a notebook calls optax."""
    return source.form in ("python", "notebook") and source.mentions("optax.")


FORMAT = Format(
    title="optax",
    version="optax 0.2.8",
    marks="optax. in Python",
    is_it=is_it,
    keys=Keys(of="optax", translated=frozenset()),
    translate=translate,
)
