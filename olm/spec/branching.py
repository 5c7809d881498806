"""Branches of a run: a spec whose first part is the run so far, and whose rest is new."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from olm.fields.errors import problems_of, quoted
from olm.kinds.continuing import Continue
from olm.kinds.warmup import Warmup
from olm.kinds.warmup_decay import WarmupStableDecay
from olm.problem import (
    OlmError,
    Path,
    SpecError,
    StateError,
    dotted,
    listed,
    path_of,
    quantity,
)
from olm.schedule.clock import Clock
from olm.schedule.schedule import Schedule
from olm.spec.branch_parts import Outline, continued
from olm.spec.digest import digest
from olm.spec.hyperparameters import LR
from olm.spec.load import SpecSource, as_spec
from olm.spec.own_numbers import covered
from olm.spec.root_keys import STATE_KEYS
from olm.spec.spec import Spec, parse

if TYPE_CHECKING:
    from olm.schedule.curves import Ease
    from olm.spec.targets import Target

_log = logging.getLogger("olm")

METRICS = "the past was driven by metrics: its rates are those of the run at step {} only"
"""What is reported of a branch of a metric-driven run."""


def branch(
    state: SpecSource,
    *,
    total_steps: int | str | None = None,
    decay: int | str | None = None,
    end_lr: float | None = None,
    end_factor: float | None = None,
    ease: Ease = "linear",
    power: float | None = None,
    warmup: int | str = 0,
    peak: float | None = None,
    hold: bool = False,
    follow: bool = False,
    also: Sequence[str] = (),
    clock: Clock | Mapping[str, Any] | None = None,
    at: str = "",
) -> Spec:
    """A spec that branches from a run: its past is the run up to a state, and the rest is new.

    The rate holds from the step of the state to the decay, which ends at `total_steps`. The state
    loads into the scheduler of the spec without ``on_change``.

    >>> state = {"kind": "HoldLR", "last_epoch": 600, "base_lrs": [0.5],
    ...          "digest": digest(parse({"kind": "HoldLR"}).schedule)}
    >>> spec = branch(state, decay="10%", total_steps=1000)
    >>> spec.lr([0, 600, 900, 950, 1000], base=0.5)
    array([0.5 , 0.5 , 0.5 , 0.25, 0.  ])
    >>> spec.parent.step, spec.schedule.milestones
    (600, (600, 900))

    Args:
        state: the state of a scheduler, as a mapping, a Spec or the path of a file.
        total_steps: the length of the branch, counted from step 0 of its parent, in steps or as a
            duration.
        decay: the length of the decay, in steps or as a duration; ``10%`` is of `total_steps`. By
            default the decay takes all steps that are left.
        end_lr: the rate at the end of the decay.
        end_factor: in its place the share of the rate at the start of the decay; by default 0.
        ease: the curve of the decay, as `RampLR` has it.
        power: the exponent of the eases ``polynomial`` and ``power``.
        warmup: over how many steps the rate rises first, in a straight line.
        peak: the rate to which it rises; by default the base rate of each param group.
        hold: whether there is no decay: the rate holds.
        follow: whether the schedule of the parent applies until the decay starts.
        also: the names of targets that continue as the rate does. A target ``lr`` always does; the
            others keep their schedules.
        clock: the numbers of the run by which durations are converted to steps.
        at: where in the file the state is.

    Raises:
        OSError: the file cannot be read.
        StateError: `state` is a spec, or at step 0.
        OlmError: the arguments contradict each other or the state.
        SpecError: the state or the result is invalid, or a duration needs a clock.
    """
    spec = as_spec(state, at=at)
    step = _step_of(spec)
    run = _run(spec, total_steps, clock)
    _check_arguments(run.total_steps, decay, end_lr, end_factor, peak, hold, follow, warmup)
    rise = _steps("warmup", Warmup, {"warmup_steps": warmup}, run) if warmup else 0
    outline = Outline(step, rise, peak, None, end_lr, end_factor, ease, power, follow)
    if run.total_steps is not None and not hold:
        outline = replace(outline, decay=_decay(outline, decay, run))
    elif run.total_steps is not None:
        _check_end(run.total_steps, step)
    made = _made(spec, outline, also, run)
    if any(schedule.metric_driven for _, schedule in spec.placed_schedules()):
        _log.warning(METRICS.format(f"{step:,}"))
    return made


def _step_of(spec: Spec) -> int:
    """The step of a state."""
    if spec.last_epoch is None or spec.base_lrs is None:
        raise StateError(
            f"this is a spec, not a state: it has no {', '.join(STATE_KEYS)}; a branch starts from "
            "the state of a scheduler"
        )
    if spec.last_epoch < 1:
        raise StateError(
            f"the state is at step {spec.last_epoch}: no step was taken yet, from which a branch "
            "could start; write another spec for the run instead"
        )
    return spec.last_epoch


def _run(
    spec: Spec, total_steps: int | str | None, clock: Clock | Mapping[str, Any] | None
) -> Clock:
    """The clock of the branch."""
    known = spec.clock_for(clock).known
    if total_steps is not None:
        known = {**known, "total_steps": total_steps}
    elif clock is None:
        # The length of the parent is not that of the branch.
        known.pop("total_steps", None)
    return Clock(**known)


def _check_arguments(
    total: int | None,
    decay: int | str | None,
    end_lr: float | None,
    end_factor: float | None,
    peak: float | None,
    hold: bool,
    follow: bool,
    warmup: int | str,
) -> None:
    decays = {"decay": decay, "end_lr": end_lr, "end_factor": end_factor}
    given = [name for name, value in decays.items() if value is not None]
    if hold and (given or follow):
        first = given[0] if given else "follow"
        raise OlmError(f"hold and {first} contradict each other: a rate that holds does not decay")
    if total is None and (given or follow):
        raise OlmError(f"{[*given, 'follow'][0]} needs total_steps, at which the decay ends")
    if follow and decay is None:
        raise OlmError("follow needs decay, the steps in which another decay ends the run")
    if total is None and not (hold or warmup):
        raise OlmError("give total_steps, at which a decay ends, or hold=True")
    if end_lr is not None and end_factor is not None:
        raise OlmError("end_lr and end_factor both specify the end of the decay: give one of them")
    if peak is not None and not warmup:
        raise OlmError("peak needs warmup, the steps in which the rate rises to it")
    if follow and warmup:
        raise OlmError("follow and warmup contradict each other: give one of them")


def _decay(outline: Outline, decay: int | str | None, run: Clock) -> tuple[int, int]:
    """The steps at which the decay starts and ends."""
    total, step = run.total_steps or 0, outline.step
    _check_end(total, step)
    first = step + outline.warmup
    left = total - first
    if left < 1:
        raise OlmError(
            f"warmup takes {quantity(outline.warmup, 'step')}, but from step {step:,} to "
            f"total_steps, {total:,}, there are only {total - step:,}"
        )
    if decay is None:
        return first, total
    fields = {"warmup_steps": 0, "total_steps": total, "decay_steps": decay}
    try:
        steps = _steps("decay", WarmupStableDecay, fields, run)
    except SpecError as error:
        if error.problems[0].code != "rule":
            raise
        steps = total + 1
    if steps < 1:
        raise OlmError("decay must be at least 1 step, found 0: to have none, hold")
    if steps > left:
        longer = f"is {steps:,} steps" if steps <= total else "is longer than the run"
        after = " after the warm-up" if outline.warmup else ""
        raise OlmError(
            f"decay ({decay}) {longer}, but from step {first:,}{after} to total_steps, {total:,}, "
            f"there are only {left:,}"
        )
    return total - steps, total


def _check_end(total: int, step: int) -> None:
    if total <= step:
        raise OlmError(
            f"total_steps must be above the step of the state, {step:,}, found {total:,}: it "
            "counts from step 0 of the parent"
        )


def _steps(name: str, kind: type[Schedule], fields: dict[str, Any], run: Clock) -> int:
    """The steps of a duration, by the kind that has such a stage."""
    field = f"{name}_steps"
    try:
        return int(getattr(kind.model_validate(fields).resolve(run), field))
    except ValidationError as error:
        problems = tuple(problems_of(error))
    except SpecError as error:
        problems = error.problems
    raise SpecError(
        problem._replace(message=problem.message.replace(field, name), path=(name,))
        for problem in problems
    )


def _made(spec: Spec, outline: Outline, also: Sequence[str], run: Clock) -> Spec:
    """The spec of the branch."""
    root = _continued(spec, spec.schedule, outline, None)
    chosen = _chosen(spec, also, outline)
    targets = [
        target.with_curve(_continued(spec, target.curve, outline, target))
        if target in chosen
        else target
        for target in spec.also
    ]
    made: dict[Path, Schedule] = {(): root}
    for index, target in enumerate(targets):
        made["also", index, target.field] = target.curve
    document: dict[str, Any] = root.model_dump(mode="json")
    if targets:
        document["also"] = [target.with_bases(None).as_document() for target in targets]
    if spec.param_groups and not any(name.startswith("#") for name in spec.group_names):
        document["param_groups"] = spec.group_names
    if spec.base_lrs and len({*spec.base_lrs}) == 1:
        document["optimizer"] = {LR: spec.base_lrs[0]}
    if run.known:
        document["clock"] = run.known
    if durations := _durations(spec, made):
        document |= {"durations": durations, "rounding": spec.rounding}
    parent = {"digest": digest(spec.schedule, spec.also), "step": outline.step}
    return parse({**document, "parent": parent})


def _chosen(spec: Spec, also: Sequence[str], outline: Outline) -> list[Target]:
    """The targets that continue as the rate does."""
    chosen = [target for target in spec.also if target.set == LR and target.schedule is not None]
    for name in also:
        named = [target for target in spec.also if name in (target.label, target.number)]
        if not named:
            there = [target.label for target in spec.also]
            has = f"the targets are {listed(there, 'and')}" if there else "the state has no targets"
            raise OlmError(f"also: there is no target {quoted(name)}: {has}")
        if named[0].scaled_by is not None:
            raise OlmError(f"also: {named[0].label} follows the number that it scales by itself")
        chosen += [target for target in named if target not in chosen]
    others = [target.label for target in chosen if target.set != LR]
    if others and (outline.end_lr is not None or outline.peak is not None):
        raise OlmError(f"end_lr and peak are rates, and {others[0]} is none: give end_factor")
    return chosen


def _continued(spec: Spec, past: Schedule, outline: Outline, target: Target | None) -> Schedule:
    """The schedule of the root or of a target, with what follows."""
    if target is not None and (target.value is not None or target.base is not None):
        bases = [1.0 if target.base is None else target.base]
    else:
        number = LR if target is None or target.set is None else target.set
        bases = [base for base in covered(spec, number, target)[1] if base is not None]
    reached = past.lr([outline.step], bases).tolist() if bases else []
    return continued(past, [*outline.parts(reached, bases or [1.0])], bases or [1.0])


def _durations(spec: Spec, made: Mapping[Path, Schedule]) -> list[list[str]]:
    """The durations of the parent, at their paths in the branch."""
    return [
        [dotted(path), text]
        for written, text in spec.durations
        if (path := _moved(spec, made, path_of(written))) is not None
    ]


def _moved(spec: Spec, made: Mapping[Path, Schedule], path: Path) -> Path | None:
    """A path of the parent in the branch; None if its part is not in the branch."""
    placed = dict(spec.placed_schedules())
    place = path[:3] if path[:1] == ("also",) else ()
    past, now, rest = placed[place], made[place], path[len(place) :]
    if past == now or not isinstance(now, Continue):
        return path
    if now.schedulers[0] == past:
        return (*place, "schedulers", 0, *rest)
    # The parent is a branch, some of whose parts are those of this one.
    assert isinstance(past, Continue)
    pairs = zip(past.parts(), now.parts(), strict=False)
    kept = [*takewhile(lambda pair: pair[0][::2] == pair[1][::2], pairs)]
    return path if int(rest[1]) < len(kept) - (rest[0] == "milestones") else None
