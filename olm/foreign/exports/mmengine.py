"""mmengine's Python: `param_scheduler` in iterations, beside `optim_wrapper` and `train_cfg`."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from olm.foreign.exports._candidates import Candidate, best, heading, numbers
from olm.foreign.exports._mmengine_windows import MOST_PARTS, Window, kinks, windows
from olm.foreign.exports._optimizers import choice, optimizer_arguments, optimizer_class
from olm.foreign.exports._targets import Run, Target
from olm.problem import listed


def write(run: Run) -> str:
    """The assignments of a configuration file."""
    return best(run, candidates(run), "mmengine", "mmengine", _text)


def candidates(run: Run) -> Iterator[Candidate]:
    """The schedulers that repeat themselves, then the windows between the bends of the curve."""
    for window in (*_of_kind(run), *_restarts(run)):
        yield _candidate(run, [{**window, "begin": 0, "end": run.steps}])
    for bends in (run.marks(), kinks(run)):
        made = windows(run, bends)
        if (drops := _drops(made)) is not None:
            yield _candidate(run, [{**drops, "begin": 0, "end": run.steps}])
        yield _candidate(run, made)


def _of_kind(run: Run) -> Iterator[Window]:
    """The scheduler of a kind that mmengine has, too."""
    fields = {key: value for key, value in run.schedule if value is not None}
    match run.schedule.kind:
        case "StepLR":
            yield {"type": "StepLR", "step_size": fields["step_size"], "gamma": fields["gamma"]}
        case "OneCycleLR" if run.steps <= (total := int(run.schedule.horizon())):
            keys = ("pct_start", "anneal_strategy", "div_factor", "final_div_factor", "three_phase")
            rest = {key: fields[key] for key in keys}
            yield {"type": "OneCycleLR", "eta_max": fields["max_lr"], "total_steps": total, **rest}


def _restarts(run: Run) -> Iterator[Window]:
    """Half waves that all fall to the same rate."""
    ends = [0]
    for mark in run.schedule.marks():
        if ends[-1] >= run.steps or len(ends) > MOST_PARTS:
            break
        ends += [mark] if mark else []
    if len(ends) < 3:
        return
    weights = [float(run.schedule.lr(end, run.base)) / run.base for end in ends[:-1]]
    periods = [later - earlier for earlier, later in pairwise(ends)]
    for floor in dict.fromkeys([*numbers(run.schedule, "eta_min", "end_lr"), 0.0]):
        fields = {"periods": periods, "restart_weights": weights, "eta_min": floor}
        yield {"type": "CosineRestartLR", **fields}


def _drops(made: list[Window]) -> Window | None:
    """Windows that all multiply the rate by the same number, as one."""
    factors = [window["gamma"] for window in made if window.get("milestones") == [0]]
    if not made or len(factors) < len(made) or max(factors) - min(factors) > 1e-12 * max(factors):
        return None
    milestones = [window["begin"] for window in made]
    return {"type": "MultiStepLR", "milestones": milestones, "gamma": factors[0]}


def _candidate(run: Run, made: list[Window]) -> Candidate:
    if not made:
        # mmengine's configuration cannot be without a scheduler.
        made = [{"type": "ConstantLR", "begin": 0, "end": run.steps, "factor": 1.0}]
    schedulers = [{"type": each["type"], "by_epoch": False, **each} for each in made]
    optimizer = {"type": optimizer_class(run), **optimizer_arguments(run)}
    settings: dict[str, Any] = {
        "train_cfg": {"by_epoch": False, "max_iters": run.steps},
        "optim_wrapper": {"type": "OptimWrapper", "optimizer": optimizer},
        "param_scheduler": schedulers,
    }
    classes = [*dict.fromkeys(each["type"] for each in made)]
    name = classes[0] if len(classes) == 1 else f"a list of {listed(classes, 'and')}"
    return Candidate(name, settings)


def _text(run: Run, settings: dict[str, Any]) -> str:
    schedulers = [f"    {_call(each)},\n" for each in settings["param_scheduler"]]
    lines = [
        f"# {heading(run)}",
        f"# {choice(optimizer_class(run))}",
        f"train_cfg = {_call(settings['train_cfg'])}",
        f"optim_wrapper = {_call(settings['optim_wrapper'])}",
        f"param_scheduler = [\n{''.join(schedulers)}]",
    ]
    return "\n".join(lines) + "\n"


def _call(value: Any) -> str:
    """A mapping as a call of dict, as mmengine's files have it."""
    if not isinstance(value, dict):
        return repr(value)
    return f"dict({', '.join(f'{key}={_call(item)}' for key, item in value.items())})"


TARGET = Target(title="mmengine's Python", write=write, needs_base=True, has_optimizer=True)
