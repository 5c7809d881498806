"""The schedules of optax: functions of numbers, as specs with factors of one base rate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from olm.foreign.configs._config import REQUIRED, Config, Keys, Refusal
from olm.foreign.configs._documents import Document, ramp, sequence, shifted
from olm.problem import Path


@dataclass(frozen=True)
class Call:
    """A call of a function of optax, by the names of its arguments."""

    config: Config
    path: Path
    name: str
    arguments: tuple[str, ...]

    def at(self, name: str) -> Path:
        """Where an argument is, by its name or its position."""
        position = self.arguments.index(name)
        positional = (*self.path, "*", position)
        by_name = self.config.has(*self.path, name) or not self.config.has(*positional)
        return (*self.path, name) if by_name else positional

    def number(self, name: str, default: Any = REQUIRED) -> Any:
        return self.config.number(*self.at(name), default=default)

    def steps(self, name: str, default: Any = REQUIRED) -> int:
        return int(self.config.whole(*self.at(name), default=default))

    def refusal(self, code: str, text: str, name: str) -> Refusal:
        return self.config.refusal(code, text, self.at(name))

    def inside(self, name: str) -> list[Call]:
        """The calls in a list.

        Raises:
            Refusal: something in it is no call of a schedule.
        """
        items = self.config.get(*self.at(name))
        if not isinstance(items, list):
            raise self.refusal("needs-code", f"`{name}` must be a list", name)
        return [self.called(index, item, name) for index, item in enumerate(items)]

    def called(self, index: int, item: Any, name: str) -> Call:
        path = (*self.at(name), index)
        function = schedule_name(item)
        if function is None:
            self.config.get(*path)
            text = "this is no call of a schedule of optax"
            raise self.config.refusal("needs-code", text, path)
        return call_of(self.config, path, function)

    def scales(self) -> list[tuple[int, float]]:
        """The boundaries of a schedule in pieces, in ascending order, each with its factor."""
        path = self.at("boundaries_and_scales")
        mapping = self.config.get(*path, default=None) or {}
        if not isinstance(mapping, dict) or not all(isinstance(key, int) for key in mapping):
            text = "boundaries_and_scales must have steps as its keys"
            raise self.config.refusal("type", text, path)
        return [(key, self.config.number(*path, key)) for key in sorted(mapping)]


def call_of(config: Config, path: Path, name: str) -> Call:
    """The call of a schedule, whose arguments are checked.

    Raises:
        Refusal: it has unknown arguments, or some that only running it could tell.
    """
    arguments = FUNCTIONS[name].arguments
    if config.has(*path, "**"):
        text = "these arguments would have to be run, and nothing in a configuration is run"
        raise config.refusal("needs-code", text, (*path, "**"))
    config.check_keys(Keys(f"optax's {name}", frozenset(arguments) | {"()", "*"}), *path)
    return Call(config, path, name, arguments)


def schedule_name(value: object) -> str | None:
    """The name of the schedule that a value calls, if it does."""
    called = value.get("()") if isinstance(value, dict) else None
    if not isinstance(called, str) or not called.startswith("optax."):
        return None
    name = called.removeprefix("optax.").removeprefix("schedules.")
    return name if name in FUNCTIONS else None


def base_of(call: Call) -> float:
    """The rate that others are factors of: the highest."""
    return FUNCTIONS[call.name].base(call)


def document_of(call: Call, base: float) -> Document:
    """A schedule as factors of a base rate."""
    return FUNCTIONS[call.name].document(call, base)


def _hold(factor: float) -> Document:
    return {"kind": "HoldLR"} if factor == 1 else {"kind": "HoldLR", "factor": factor}


def _between(call: Call, steps: int, start: float, end: float, **ease: Any) -> Document:
    """A ramp between two factors; the first one if it has no steps, as in optax."""
    if steps < 1:
        return _hold(start)
    return ramp(steps, start_factor=start, end_factor=end, **ease)


def _polynomial(call: Call, base: float) -> Document:
    power = 1.0 if call.name == "linear_schedule" else call.number("power")
    ease: dict[str, Any] = {} if power == 1 else {"ease": "polynomial", "power": power}
    start, end = call.number("init_value") / base, call.number("end_value") / base
    document = _between(call, call.steps("transition_steps"), start, end, **ease)
    return shifted(document, -max(call.steps("transition_begin", 0), 0))


def _pieces(call: Call, base: float) -> Document:
    factors = [call.number("init_value") / base]
    steps = [0]
    for step, scale in call.scales():
        factors.append(factors[-1] * scale)
        steps.append(step)
    used = [index for index, step in enumerate(steps) if step > 0]
    first = used[0] - 1 if used else len(steps) - 1
    if not used:
        return _hold(factors[first])
    return {
        "kind": "TableLR",
        "milestones": [0, *(steps[index] for index in used)],
        "factors": [factors[index] for index in (first, *used)],
    }


def _interpolated(call: Call, base: float) -> Document:
    between = call.config.text(*call.at("interpolate_type"))
    scales = call.scales()
    if between not in ("linear", "cosine") or any(step < 1 for step, _ in scales):
        text = "the pieces must be linear or cosine, with boundaries above 0"
        raise call.refusal("unsupported-key", text, "interpolate_type")
    factors = accumulate((scale for _, scale in scales), lambda factor, scale: factor * scale,
                         initial=call.number("init_value") / base)  # fmt: skip
    return _table([0, *(step for step, _ in scales)], [*factors], between)


def _table(milestones: list[int], factors: list[float], between: str) -> Document:
    fields = {"milestones": milestones, "factors": factors, "between": between}
    return {"kind": "TableLR", **fields}


def _one_cycle(call: Call, base: float) -> Document:
    total, share = call.steps("transition_steps"), call.number("pct_start", 0.3)
    peak = call.number("peak_value") / base
    low = peak / call.number("div_factor", 25.0)
    final = low / call.number("final_div_factor", 1e4)
    marks, factors = [0, int(share * total)], [low, peak]
    if call.name == "linear_onecycle_schedule":
        marks.append(int(call.number("pct_final", 0.85) * total))
        factors.append(low)
    marks, factors = [*marks, total], [*factors, final]
    if sorted(set(marks)) != marks:
        text = "two of the phases begin at one step"
        raise call.refusal("unsupported-key", text, "transition_steps")
    return _table(marks, factors, call.name.partition("_")[0])


def _exponential(call: Call, base: float, start: str = "init_value") -> Document:
    factor = call.number(start) / base
    steps, rate = call.steps("transition_steps"), call.number("decay_rate")
    if steps < 1 or rate == 0:
        return _hold(factor)
    if call.config.flag(*call.at("staircase")):
        curve: Document = {"kind": "StepLR", "step_size": steps, "gamma": rate}
    else:
        curve = ramp(steps, end_factor=rate, space="log", past="extrapolate")
    curve = shifted(curve, -max(call.steps("transition_begin", 0), 0))
    if factor != 1:
        curve = {"kind": "ChainedScheduler", "schedulers": [_hold(factor), curve]}
    end = call.number("end_value", None)
    if end is None:
        return curve
    kind = "MaximumLR" if rate < 1 else "MinimumLR"
    return {"kind": kind, "schedulers": [curve, {"kind": "HoldLR", "factor": end / base}]}


def _cosine(call: Call, base: float) -> Document:
    steps, alpha = call.steps("decay_steps"), call.number("alpha", 0.0)
    return _cosine_wave(call, steps, alpha, call.number("init_value") / base)


def _cosine_wave(call: Call, steps: int, floor: float, factor: float) -> Document:
    """Half a cosine wave, to a power, from a factor down to a share of that."""
    exponent = call.number("exponent", 1.0)
    if steps < 1:
        raise call.refusal("type", "a cosine needs at least 1 step", "decay_steps")
    if exponent == 1:
        return ramp(steps, start_factor=factor, end_factor=floor * factor, ease="cosine")
    if floor or exponent != int(exponent) or not 1 < exponent <= 8:
        text = f"a cosine to the power of {exponent} with this end is not translated"
        raise call.refusal("unsupported-key", text, "exponent")
    wave = {"kind": "CosineAnnealingLR", "T_max": steps}
    powers = [wave] * int(exponent)
    first = [] if factor == 1 else [_hold(factor)]
    return {"kind": "ChainedScheduler", "schedulers": [*first, *powers]}


def _warmup_constant(call: Call, base: float) -> Document:
    ends = call.number("init_value") / base, call.number("peak_value") / base
    return _between(call, call.steps("warmup_steps"), *ends)


def _warmup_cosine(call: Call, base: float) -> Document:
    peak = call.number("peak_value") or 1.0
    start, end = call.number("init_value"), call.number("end_value", 0.0)
    warmup, total = call.steps("warmup_steps"), call.steps("decay_steps")
    if warmup >= total:
        text = "decay_steps includes the warm-up, and must be above warmup_steps"
        raise call.refusal("type", text, "decay_steps")
    if peak == base and call.number("exponent", 1.0) == 1:
        ends = {"start_factor": start / base} if start else {}
        ends |= {"end_factor": end / base} if end else {}
        return {"kind": "WarmupDecayLR", "warmup_steps": warmup, "total_steps": total, **ends}
    up = _between(call, warmup, start / base, peak / base)
    down = _cosine_wave(call, total - warmup, end / peak, peak / base)
    return sequence((up, warmup), last=down)


def _warmup_exponential(call: Call, base: float) -> Document:
    warmup = call.steps("warmup_steps")
    up = _between(call, warmup, call.number("init_value") / base, call.number("peak_value") / base)
    return sequence((up, warmup), last=_exponential(call, base, "peak_value"))


def _sgdr(call: Call, base: float) -> Document:
    cycles = _cycles(call)
    lengths = [cycle.steps("decay_steps") for cycle in cycles]
    documents = [_warmup_cosine(cycle, base) for cycle in cycles]
    parts = zip(documents[:-1], lengths[:-1], strict=True)
    return sequence(*parts, last=documents[-1])


def _cycles(call: Call) -> list[Call]:
    """The cycles of a list of mappings, each with the arguments of a warm-up and a cosine."""
    path = call.at("cosine_kwargs")
    items = call.config.get(*path)
    if not isinstance(items, list) or not items:
        raise call.refusal("needs-code", "`cosine_kwargs` must be a list", "cosine_kwargs")
    paths = [(*path, index) for index in range(len(items))]
    return [call_of(call.config, each, "warmup_cosine_decay_schedule") for each in paths]


def _joined(call: Call, base: float) -> Document:
    parts = call.inside("schedules")
    path = call.at("boundaries")
    count = len(call.config.get(*path) or [])
    bounds = [call.config.whole(*path, index) for index in range(count)]
    if bounds != sorted(set(bounds)) or count != len(parts) - 1 or (bounds and bounds[0] < 1):
        text = "boundaries must be ascending steps above 0, one fewer than the schedules"
        raise call.refusal("type", text, "boundaries")
    documents = [document_of(part, base) for part in parts]
    if not bounds:
        return documents[0]
    return {"kind": "SequentialLR", "schedulers": documents, "milestones": bounds}


def _highest(*names: str) -> Callable[[Call], float]:
    return lambda call: max(float(call.number(name)) for name in names)


def _highest_piece(call: Call) -> float:
    scales = [scale for _, scale in call.scales()]
    values = accumulate(scales, lambda value, scale: value * scale, initial=1.0)
    return max(float(call.number("init_value") * value) for value in values)


def _highest_part(call: Call) -> float:
    return max(base_of(part) for part in call.inside("schedules"))


def _highest_cycle(call: Call) -> float:
    return max(base_of(cycle) for cycle in _cycles(call))


@dataclass(frozen=True)
class Function:
    """A function of optax that returns a schedule."""

    arguments: tuple[str, ...]
    base: Callable[[Call], float]
    document: Callable[[Call, float], Document]


def _function(
    arguments: str, base: Callable[[Call], float], document: Callable[[Call, float], Document]
) -> Function:
    return Function(tuple(arguments.split()), base, document)


_INIT, _PEAK = _highest("init_value"), _highest("peak_value")
_DECAY = "transition_steps decay_rate transition_begin staircase end_value"

FUNCTIONS = {
    "constant_schedule": _function(
        "value", _highest("value"), lambda call, base: _hold(call.number("value") / base)
    ),
    "linear_schedule": _function(
        "init_value end_value transition_steps transition_begin",
        _highest("init_value", "end_value"),
        _polynomial,
    ),
    "polynomial_schedule": _function(
        "init_value end_value power transition_steps transition_begin",
        _highest("init_value", "end_value"),
        _polynomial,
    ),
    "piecewise_constant_schedule": _function(
        "init_value boundaries_and_scales", _highest_piece, _pieces
    ),
    "piecewise_interpolate_schedule": _function(
        "interpolate_type init_value boundaries_and_scales", _highest_piece, _interpolated
    ),
    "exponential_decay": _function(f"init_value {_DECAY}", _INIT, _exponential),
    "cosine_decay_schedule": _function("init_value decay_steps alpha exponent", _INIT, _cosine),
    "linear_onecycle_schedule": _function(
        "transition_steps peak_value pct_start pct_final div_factor final_div_factor",
        _PEAK,
        _one_cycle,
    ),
    "cosine_onecycle_schedule": _function(
        "transition_steps peak_value pct_start div_factor final_div_factor", _PEAK, _one_cycle
    ),
    "warmup_constant_schedule": _function(
        "init_value peak_value warmup_steps", _highest("init_value", "peak_value"), _warmup_constant
    ),
    "warmup_cosine_decay_schedule": _function(
        "init_value peak_value warmup_steps decay_steps end_value exponent", _PEAK, _warmup_cosine
    ),
    "warmup_exponential_decay_schedule": _function(
        f"init_value peak_value warmup_steps {_DECAY}", _PEAK, _warmup_exponential
    ),
    "sgdr_schedule": _function("cosine_kwargs", _highest_cycle, _sgdr),
    "join_schedules": _function("schedules boundaries", _highest_part, _joined),
}
"""The schedules of optax."""
