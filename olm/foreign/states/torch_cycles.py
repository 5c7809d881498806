"""States by torch's classes that go up and down, which torch keeps in words of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from olm.foreign.states._reading import (
    DRIFT,
    Old,
    Reader,
    Seen,
    State,
    only,
    rates_in,
    same_fields,
    step_of,
    whole,
    written,
)
from olm.kinds.cyclic import Cyclic, OneCycle
from olm.problem import found
from olm.schedule.schedule import Schedule
from olm.spec.rates import as_float
from olm.spec.target_curves import Curve
from olm.spec.targets import Target

SHOWN_STEPS = 20_000
"""At how many steps a momentum cycle is compared with a target, at most."""


def restarts(state: State, seen: Seen) -> Old:
    """Waves; where in which one torch stands follows from the step, unless it took half steps."""
    step, length = step_of(state, seen), whole(state["T_0"], "T_0", seen)
    times, inside = whole(state["T_mult"], "T_mult", seen), max(step, 0)
    while length > 0 and times > 0 and inside >= length:
        inside, length = (
            (inside % length, length) if times == 1 else (inside - length, length * times)
        )
    expected = {"T_cur": inside if step >= 0 else state["T_cur"], "T_i": length}
    for name, value in expected.items():
        if seen.exact and state[name] != value:
            seen.reject(
                name,
                f"at step {step} it would be {value}, found {found(state[name])}: it was not "
                "stepped by whole steps from 0 on",
            )
    waves = {name: state[name] for name in state if name not in ("T_cur", "T_i")}
    kind = "CosineAnnealingWarmRestarts"
    return same_fields(kind, f"torch's {kind}", waves, seen)


def cycle(state: State, seen: Seen) -> Old:
    """A cycle between two rates; the base rate of the optimizer is ignored."""
    mode = state["mode"]
    clock = "iterations" if mode == "exp_range" else "cycle"
    if seen.exact and (state.get("_scale_fn_custom") is not None or state["scale_mode"] != clock):
        seen.reject("scale_fn", "the peaks follow a function of the user's, which no schedule has")
    period = whole(state["total_size"], "total_size", seen)
    up = round(period * state["step_ratio"])
    if not 0 < up < period or up / period != state["step_ratio"]:
        seen.reject("step_ratio", f"the way up is no whole number of the {period} steps")
    down = period - up if period != 2 * up else None
    if isinstance(seen.live, Cyclic) and (seen.live.step_size_up, seen.live.period) == (up, period):
        down = seen.live.step_size_down
    fields = {
        "kind": "CyclicLR",
        "base_lr": only(state["base_lrs"], "base_lrs", seen),
        "max_lr": only(state["max_lrs"], "max_lrs", seen),
        "step_size_up": up,
        "step_size_down": down,
        "mode": mode,
        "gamma": state["gamma"],
    }
    bounds = (state.get(name) for name in ("base_momentums", "max_momentums"))
    also = _momentum(state, seen, fields, *bounds)
    return Old("torch's CyclicLR", step_of(state, seen), None, fields, also=also)


def one_cycle(state: State, seen: Seen) -> Old:
    """A cycle whose rates torch keeps in the optimizer: they are the scheduler's, and checked."""
    first = only(rates_in(state, "base_lrs", seen), "base_lrs", seen)
    rates, unsaid = _cycle_rates(first, seen)
    strategy = state["_anneal_func_type"]
    fields = {
        "kind": "OneCycleLR",
        **_cycle_shape(state, seen),
        **rates,
        "anneal_strategy": strategy,
    }
    groups = seen.groups or seen.live_groups
    low, high = (
        [group.get(name) for group in groups] for name in ("base_momentum", "max_momentum")
    )
    also = _momentum(state, seen, fields, low, high)
    return Old("torch's OneCycleLR", step_of(state, seen), None, fields, unsaid, also)


def _cycle_rates(first: float, seen: Seen) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The three fields that say the rates of one cycle, and which of them the state leaves out."""
    names = ("max_lr", "div_factor", "final_div_factor")
    if isinstance(seen.live, OneCycle):
        live = {name: getattr(seen.live, name) for name in names}
        start = seen.live.max_lr / seen.live.div_factor
        if seen.exact and start != first:
            seen.reject(
                "base_lrs",
                f"the checkpoint's cycle starts at {first}, this scheduler's at {start}: max_lr or "
                "div_factor differs, and the state does not say which",
            )
        return live, names
    if seen.groups:
        high, low = (
            only([group.get(key) for group in seen.groups], f"param_groups: {key}", seen)
            for key in ("max_lr", "min_lr")
        )
        if isinstance(high, float) and isinstance(low, float) and min(first, low) > 0:
            high_by_first = written(high / first, lambda factor: high / factor == first)
            first_by_low = written(first / low, lambda factor: first / factor == low)
            if high_by_first and first_by_low:
                rates = {"max_lr": high, names[1]: high_by_first, names[2]: first_by_low}
                return rates, ()
    raise seen.error(
        "max_lr",
        "torch keeps it, div_factor and final_div_factor in the optimizer and not in this state: "
        "the scheduler or the spec must say them",
    )


def _cycle_shape(state: State, seen: Seen) -> dict[str, Any]:
    """The fields that say the steps of one cycle."""
    total, phases = whole(state["total_steps"], "total_steps", seen), state["_schedule_phases"]
    ends = [phase["end_step"] for phase in phases]
    three = len(ends) == 3

    def ends_there(share: float) -> bool:
        middle = [2 * share * total - 2] if three else []
        return ends == [share * total - 1, *middle, total - 1]

    live = seen.live if isinstance(seen.live, OneCycle) else None
    share: float | None = live.pct_start if live and ends_there(live.pct_start) else None
    if share is None and total > 0:
        share = written((ends[0] + 1) / total, ends_there)
    if share is None:
        seen.reject("_schedule_phases", f"no pct_start gives phases that end at {ends}")
    length = {"total_steps": total}
    if live and live.length == total:
        names = ("total_steps", "epochs", "steps_per_epoch")
        length = {name: getattr(live, name) for name in names}
    return {**length, "pct_start": share, "three_phase": three}


def _momentum(
    state: State, seen: Seen, fields: Mapping[str, Any], low: Any, high: Any
) -> tuple[Target, ...]:
    """The targets that go on with the momentum cycle of a state.

    torch's momentum goes from `max_momentum` to `base_momentum` while the rate goes up: it is the
    same schedule between other numbers. A target may say it in any way that has its numbers.

    Args:
        state: the state.
        seen: what there is beside it.
        fields: the schedule of the rates.
        low: the `base_momentum` of each param group, where it is known.
        high: the `max_momentum` of each.
    """
    if not (seen.exact and state["cycle_momentum"]):
        return ()
    keys = ("betas[0]", "momentum")
    targets = tuple(target for target in seen.targets if target.set in keys)
    if not targets:
        seen.reject(
            "cycle_momentum",
            "torch's cycle sets the momentum too, from its base_momentum to its max_momentum: "
            "schedule it by a target under `also`, as `olm explain targets` shows, or load with "
            "on_change='spec'; without a target, give the state a cycle_momentum of False",
        )
    bounds = [*zip(low or (), high or (), strict=True)]
    if not bounds or len({*bounds}) > 1 or None in bounds[0]:
        seen.reject(
            "cycle_momentum",
            "the momentum cycle cannot be compared with the target: load the optimizer's state "
            "first, whose param groups have one base_momentum and one max_momentum",
        )
    [(base, highest)] = {*bounds}
    wanted = _between_momentums(fields, as_float(base), as_float(highest))
    steps = range(min(SHOWN_STEPS, 2 * (wanted.ends_at() or wanted.horizon())) + 1)
    for target in targets:
        for own in target.bases or (1.0,):
            ours = Curve(target.curve, target.base).at(steps, own)
            theirs = wanted.lr(steps, 1.0)
            if (far := abs(ours - theirs) > DRIFT).any():
                step = int(far.argmax())
                seen.reject(
                    "cycle_momentum",
                    f"at step {step:,} the {target.set} is {theirs[step]:g} by the checkpoint, "
                    f"from base_momentum {base:g} to max_momentum {highest:g}, and {ours[step]:g} "
                    "by this scheduler",
                )
    return targets


def _between_momentums(fields: Mapping[str, Any], low: float, high: float) -> Schedule:
    """The schedule of the momentum that belongs to a cycle of rates."""
    if fields["kind"] == "CyclicLR":
        return Cyclic(**{**fields, "base_lr": high, "max_lr": low})
    ends = {"max_lr": low, "div_factor": low / high, "final_div_factor": 1.0}
    return OneCycle(**{**fields, **ends})


READERS = [
    Reader(
        "torch's CosineAnnealingWarmRestarts",
        frozenset({"T_0", "T_i", "T_mult", "eta_min", "T_cur"}),
        restarts,
    ),
    Reader(
        "torch's CyclicLR",
        frozenset(
            {
                "max_lrs",
                "total_size",
                "step_ratio",
                "mode",
                "gamma",
                "scale_mode",
                "cycle_momentum",
            }
        ),
        cycle,
        frozenset({"_scale_fn_custom", "use_beta1", "base_momentums", "max_momentums"}),
    ),
    Reader(
        "torch's OneCycleLR",
        frozenset({"total_steps", "_schedule_phases", "_anneal_func_type", "cycle_momentum"}),
        one_cycle,
        frozenset({"use_beta1"}),
    ),
]
