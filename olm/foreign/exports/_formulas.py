"""The formula of each kind, in the Python that `olm export --to torch` writes."""

from __future__ import annotations

from functools import reduce
from itertools import pairwise
from typing import Any

from olm.foreign.exports._formula import (
    Formula,
    Functions,
    between,
    counted,
    eased,
    ramp,
    times,
)
from olm.foreign.exports._targets import KEEP, refused


def rise(schedule: Any, then: str) -> str:
    """A straight rise to the base rate, then something else."""
    if not schedule.warmup_steps:
        return then
    start = times(schedule.start_factor)
    up = f"line({start}, base, {ramp(schedule.warmup_steps)})"
    return f"if step < {schedule.warmup_steps}:\n    return {up}\n{then}"


def decayed(schedule: Any, done: str, ratio: float) -> str:
    """The decay of a warm-up with one."""
    end = times(schedule.end_factor)
    match schedule.decay:
        case "geometric":
            return between("base", end, done, "log")
        case "harmonic":
            return between("base", end, done, "inverse")
        case "exponential" if ratio < 0.99:
            return f"line(base, {end}, (1 - {ratio} ** {done}) / (1 - {ratio}))"
        case "exponential":
            return f"line(base, {end}, math.expm1({done} * math.log({ratio})) / ({ratio} - 1))"
        case "sqrt" | "square" as name:
            return f"line(base, {end}, {eased('power', done, 0.5 if name == 'sqrt' else 2.0)})"
    return f"line(base, {end}, {eased(schedule.decay, done, schedule.power)})"


def warmup_decay(s: Any, _: Functions) -> str:
    """A rise and a decay."""
    done = ramp(s.total_steps - s.warmup_steps, s.warmup_steps)
    return rise(s, decayed(s, done, 0.5))


def warmup_stable_decay(s: Any, _: Functions) -> str:
    """A rise, a plateau and a decay."""
    done = ramp(s.decay_steps, s.total_steps - s.decay_steps)
    return rise(s, decayed(s, done, s.decay_ratio))


def tri_stage(s: Any, _: Functions) -> str:
    """A rise, a plateau and a geometric decay."""
    done = ramp(s.decay_steps, s.warmup_steps + s.hold_steps)
    return rise(s, between("base", times(s.end_factor), done, "log"))


def warmup(s: Any, _: Functions) -> str:
    """A rise from just above a rate."""
    if not s.warmup_steps:
        return "base"
    up = f"{s.start_lr} + (base - {s.start_lr}) * ((step + 1) / {s.warmup_steps})"
    return f"if step <= {s.warmup_steps - 1}:\n    return {up}\nbase"


def warmup_cosine(s: Any, _: Functions) -> str:
    """A rise from just above 0, then half a cosine wave."""
    done = ramp(s.total_steps - s.warmup_steps, s.warmup_steps)
    fall = f"line(base, {s.min_lr}, cosine({done}))"
    if not s.warmup_steps:
        return fall
    up = f"base * ramp(step + 1, {s.warmup_steps})"
    return f"if step < {s.warmup_steps}:\n    return {up}\n{fall}"


def inverse_sqrt(s: Any, _: Functions) -> str:
    """A rise, then the inverse square root."""
    scale = s.timescale or s.warmup_steps
    left = f"({scale} / ({scale} + step - {s.warmup_steps})) ** 0.5"
    return rise(s, f"line({times(s.end_factor)}, base, {left})")


def noam(s: Any, _: Functions) -> str:
    """The Transformer's."""
    peak = f"peak = base / math.sqrt({s.d_model} * {s.warmup_steps})\n"
    w = s.warmup_steps
    up, down = f"peak * ((step + 1) / {w})", f"peak * ({w} / (step + 1)) ** 0.5"
    return f"{peak}if step + 1 < {w}:\n    return {up}\n{down}"


def rex(s: Any, _: Functions) -> str:
    """A reflection of the exponential decay."""
    left = f"left = 1 - {ramp(s.total_steps)}\n"
    end, weight = times(s.end_factor), f"left / ({1 - s.beta} + {s.beta} * left)"
    if s.beta == 1:
        # The fraction holds at 1, and is 0 / 0 at the end.
        weight = "float(left > 0)"
    return f"{left}line({end}, base, {weight})"


def tanh(s: Any, _: Functions) -> str:
    """A hyperbolic tangent."""
    left = f"(1 - math.tanh(line({s.lb}, {s.ub}, {ramp(s.total_steps)}))) / 2"
    fall = f"line({s.end_lr}, base, {left})"
    return f"if step < {s.total_steps}:\n    return {fall}\n{s.end_lr}"


def ramps(s: Any, _: Functions) -> str:
    """From one rate to another."""
    start = times(s.start_factor) if s.start_lr is None else repr(s.start_lr)
    end = times(s.end_factor) if s.end_lr is None else repr(s.end_lr)
    moved = f"(step + {s.offset})" if s.offset else "step"
    plain = f"{moved} / {s.total_steps}"
    done = {
        "hold": f"ramp({moved.strip('()')}, {s.total_steps})",
        "mirror": f"1 - abs({plain} % 2 - 1)",
        "repeat": f"{plain} % 1",
        "extrapolate": plain,
    }[s.past]
    risen = eased(s.ease, "done", s.power, s.total_steps)
    return f"done = {done}\n{between(start, end, risen, s.space)}"


def table(s: Any, _: Functions) -> str:
    """Factors of the base rate."""
    points = list(zip(s.milestones, s.factors, strict=True))
    parts = []
    for (at, factor), (later, next_one) in pairwise(points):
        value = times(factor)
        if s.between != "hold":
            done = eased(s.between, f"ramp(step - {at}, {later - at})")
            value = f"line({value}, {times(next_one)}, {done})"
        parts.append(f"if step < {later}:\n    return {value}\n")
    return f"{''.join(parts)}{times(points[-1][1])}"


def multi_step(s: Any, _: Functions) -> str:
    """Multiplied at milestones."""
    return f"base * {s.gamma} ** sum(step >= milestone for milestone in {list(s.milestones)})"


def restarts(s: Any, _: Functions) -> str:
    """Half waves again and again."""
    if s.T_mult == 1:
        return f"line(base, {s.eta_min}, cosine(step % {s.T_0} / {s.T_0}))"
    first = f"_, own = cycle(step, {s.T_0}, {s.T_mult}, math.inf)\n"
    return f"{first}line(base, {s.eta_min}, cosine(own / {s.T_0}))"


def cyclic(s: Any, _: Functions) -> str:
    """Up and down again."""
    up, down = s.step_size_up, s.period - s.step_size_up
    height = f"position / {up} if position <= {up} else ({s.period} - position) / {down}"
    scale = {"triangular2": f" * 0.5 ** (step // {s.period})", "exp_range": f" * {s.gamma} ** step"}
    lines = f"position = step % {s.period}\nheight = {height}\n"
    return f"{lines}line({s.base_lr}, {s.max_lr}, height{scale.get(s.mode, '')})"


def one_cycle(s: Any, _: Functions) -> str:
    """Up to the highest rate and down to the lowest."""
    points = s.turning_points()
    ease = "cosine" if s.anneal_strategy == "cos" else "linear"
    parts = []
    for (start, low), (end, high) in pairwise(points):
        done = eased(ease, f"(step - {start}) / ({end} - {start})") if end > start else "1"
        parts.append(f"if step <= {end}:\n    return line({low}, {high}, {done})\n")
    return f"{''.join(parts)}{points[-1][1]}"


def pieces(s: Any, functions: Functions) -> str:
    """One schedule after another."""
    parts = [(start, functions.define(child)) for start, _, child in s.parts()]
    lines = []
    for (start, name), (end, _) in pairwise(parts):
        step = f"step - {start}" if start else "step"
        lines.append(f"if step < {end}:\n    return {name}({step}, base)\n")
    start, name = parts[-1]
    return f"{''.join(lines)}{name}(step - {start}, base)"


def phases(s: Any, functions: Functions) -> str:
    """One schedule after another, until the end of the last."""
    return f"step = min(step, {sum(s.lengths)})\n{pieces(s, functions)}"


def continued(s: Any, functions: Functions) -> str:
    """One schedule after another, from the rate that was reached."""
    lines, before = "", 0
    for milestone, child in zip(s.milestones, s.schedulers, strict=False):
        name = functions.define(child)
        lines += f"if step < {milestone}:\n    return {name}(step - {before}, base)\n"
        lines += f"base = {name}({milestone} - {before}, base)\n"
        before = milestone
    return f"{lines}{functions.define(s.schedulers[-1])}(step - {before}, base)"


def product(s: Any, functions: Functions) -> str:
    """The product of factors."""
    first, *others = (f"{functions.define(child)}(step, base)" for child in s.schedulers)
    return reduce(lambda rate, other: f"{rate} * ({other} / base)", others, first)


def extreme(name: str) -> Formula:
    """The lowest or the highest of some schedules."""

    def formula(s: Any, functions: Functions) -> str:
        rates = [f"{functions.define(child)}(step, base)" for child in s.schedulers]
        return f"{name}({', '.join(rates)})" if len(rates) > 1 else rates[0]

    return formula


def repeat(s: Any, functions: Functions) -> str:
    """A schedule that starts again."""
    name = functions.define(s.scheduler)
    base = "base" if s.shrink == 1 else f"base * {s.shrink} ** number"
    if s.growth == 1 and s.count is None:
        return f"number = step // {s.period}\n{name}(step % {s.period}, {base})"
    cycle = f"number, own = cycle(step, {s.period}, {s.growth}, {counted(s.count)})\n"
    return f"{cycle}{name}(own, {base})"


def moved(s: Any, functions: Functions) -> str:
    """A schedule on a clock that is shifted or has larger steps."""
    if s.per_step is not None:
        text = "the steps of a TimeLR along samples or tokens are not those of the optimizer"
        raise refused(text, KEEP)
    own = "step" if s.every == 1 else f"step // {s.every} * {s.every}"
    own = f"max({own} + {s.shift}, {s.first})"
    own = own if s.last is None else f"min({own}, {s.last})"
    return f"{functions.define(s.scheduler)}({own}, base)"


FORMULAS: dict[str, Formula] = {
    "HoldLR": lambda s, _: times(s.factor) if s.fixed_lr is None else repr(s.fixed_lr),
    "ConstantLR": lambda s, _: f"{times(s.factor)} if step < {s.total_iters} else base",
    "LinearFactorLR": lambda s, _: (
        f"line({times(s.start_factor)}, {times(s.end_factor)}, {ramp(s.total_iters)})"
    ),
    "LinearLR": lambda s, _: f"line({times(s.start_factor)}, {s.end_lr}, {ramp(s.total_steps)})",
    "LinearDecayLR": lambda s, _: f"base * (1 - {ramp(s.total_steps)})",
    "PolynomialLR": lambda s, _: f"base * (1 - {ramp(s.total_iters)}) ** {s.power}",
    "PowerLR": lambda s, _: f"base * (1 + {s.decay_rate} * step / {s.decay_steps}) ** -{s.power}",
    "CosineAnnealingLR": lambda s, _: f"line(base, {s.eta_min}, cosine({ramp(s.T_max)}))",
    "FlatCosineLR": lambda s, _: (
        f"line(base, {times(s.end_factor)}, "
        f"cosine({ramp(s.total_steps - s.flat_steps, s.flat_steps)}))"
    ),
    "StepLR": lambda s, _: f"base * {s.gamma} ** (step // {s.step_size})",
    "ExponentialLR": lambda s, _: f"base * {s.gamma} ** step",
    "RampLR": ramps,
    "TableLR": table,
    "MultiStepLR": multi_step,
    "WarmupLR": warmup,
    "WarmupCosineScheduler": warmup_cosine,
    "WarmupDecayLR": warmup_decay,
    "WarmupStableDecayLR": warmup_stable_decay,
    "TriStageLR": tri_stage,
    "InverseSqrtLR": inverse_sqrt,
    "NoamLR": noam,
    "RexLR": rex,
    "TanhLR": tanh,
    "CosineAnnealingWarmRestarts": restarts,
    "CyclicLR": cyclic,
    "OneCycleLR": one_cycle,
    "SequentialLR": pieces,
    "PhasesLR": phases,
    "ContinueLR": continued,
    "ChainedScheduler": product,
    "MinimumLR": extreme("min"),
    "MaximumLR": extreme("max"),
    "RepeatLR": repeat,
    "TimeLR": moved,
}
