"""torch's OneCycleLR and CyclicLR, which also move the momentum."""

from __future__ import annotations

from dataclasses import replace

from olm.foreign.configs._config import names
from olm.foreign.configs._documents import Document
from olm.foreign.configs._torch_call import Call, Tick

SETTING = names("OneCycleLR CyclicLR")
"""The classes that replace the base rate of the other schedulers of a sequence."""

MOST_ROWS = 1000
"""The longest table that is written for a schedule."""


def cyclic(call: Call) -> Document:
    cycle = _cycle(call)
    _momentum_arguments(call)
    if cycle["mode"] == "exp_range" and not call.tick.is_a_step:
        return _by_epoch(call, call.lr or cycle["base_lr"])
    return call.slowed(cycle)


def _cycle(call: Call) -> Document:
    if call.config.has(*call.path, "scale_fn"):
        text = "`scale_fn` is a function of the program"
        raise call.refusal("needs-code", text, "scale_fn")
    mode = call.word("mode", "triangular", "triangular2", "exp_range")
    fields: Document = {key: call.number(key) for key in ("base_lr", "max_lr")}
    fields["step_size_up"] = call.tick.times(call.count("step_size_up", 2000))
    if (down := call.count("step_size_down", None)) is not None:
        fields["step_size_down"] = call.tick.times(down)
    gamma = call.number("gamma", 1.0)
    if mode == "exp_range":
        fields["gamma"] = gamma
    # The mode of scaling only counts with a function.
    call.config.text(*call.path, "scale_mode", default=None)
    return {"kind": "CyclicLR", **fields, "mode": mode}


def _by_epoch(call: Call, base: float, **ends: float) -> Document:
    """A cycle that decays once per epoch, as a table.

    Raises:
        Refusal: the number of epochs is not known.
    """
    if call.moves is None:
        text = "exp_range decays at every step of the scheduler, which is an epoch here"
        hint = "give --total-steps and --steps-per-epoch"
        raise call.config.refusal("interval", text, (*call.path, "mode"), hint=hint)
    return tabled(call, {**_cycle(replace(call, tick=Tick())), **ends}, base, call.moves)


def _momentum_arguments(call: Call) -> bool:
    """Whether the momentum moves, too: see `momentum_of`."""
    for key in ("base_momentum", "max_momentum"):
        call.config.number(*call.path, key, default=None)
    return call.config.flag(*call.path, "cycle_momentum", default=True)


def one_cycle(call: Call) -> Document:
    total = call.count("total_steps", None)
    epochs, per_epoch = call.count("epochs", None), call.count("steps_per_epoch", None)
    if total is None and (epochs is None or per_epoch is None):
        text = "OneCycleLR needs `total_steps`, or `epochs` and `steps_per_epoch`"
        raise call.refusal("needs-key", text)
    _momentum_arguments(call)
    cycle = {
        "kind": "OneCycleLR",
        "max_lr": call.number("max_lr"),
        "total_steps": epochs * per_epoch if total is None else total,
        "pct_start": call.number("pct_start", 0.3),
        "anneal_strategy": call.word("anneal_strategy", "cos", "linear"),
        "div_factor": call.number("div_factor", 25.0),
        "final_div_factor": call.number("final_div_factor", 1e4),
        "three_phase": call.config.flag(*call.path, "three_phase"),
    }
    return (
        cycle
        if call.tick.is_a_step
        else tabled(call, cycle, call.lr or cycle["max_lr"], cycle["total_steps"])
    )


def tabled(call: Call, cycle: Document, base: float, total: int) -> Document:
    """A cycle whose steps are epochs, as a table: its turning points lie between two epochs."""
    from olm.spec.spec import parse

    if total > MOST_ROWS:
        text = f"the cycle of {total:,} epochs is too long for a table"
        raise call.refusal("interval", text)
    schedule = parse(cycle).schedule
    rates = [schedule.lr(step, base) for step in range(total)]
    points = [*map(call.tick.times, range(total))]
    return {"kind": "TableLR", "milestones": points, "factors": [rate / base for rate in rates]}


def momentum_of(call: Call, schedule: Document) -> Document | None:
    """The schedule of the momentum, which torch's cycles move against the rate.

    Args:
        call: the call.
        schedule: its schedule of the rate.
    """
    if call.name not in SETTING or not _momentum_arguments(call):
        return None
    defaults = {"OneCycleLR": (0.85, 0.95), "CyclicLR": (0.8, 0.9)}[call.name]
    low, high = (call.number(key, default) for key, default in
                 zip(("base_momentum", "max_momentum"), defaults, strict=True))  # fmt: skip
    if call.name == "CyclicLR":
        if schedule["kind"] == "TableLR":
            return _by_epoch(call, 1.0, base_lr=high, max_lr=low)
        inner = schedule.get("scheduler", schedule)
        return call.slowed({**inner, "base_lr": high, "max_lr": low})
    rate = one_cycle(replace(call, tick=Tick()))
    cycle = {**rate, "max_lr": low, "div_factor": low / high, "final_div_factor": 1.0}
    return cycle if call.tick.is_a_step else tabled(call, cycle, 1.0, cycle["total_steps"])
