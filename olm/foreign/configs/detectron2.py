"""detectron2's YAML: the solver of its yacs configuration."""

from __future__ import annotations

import ast
from collections.abc import Callable
from functools import partial
from math import cos, isfinite, pi
from typing import Any

from olm.foreign.configs._base_files import with_bases
from olm.foreign.configs._config import Config, Keys, Translation, names, one_of
from olm.foreign.configs._documents import Document, count, ramp
from olm.foreign.configs._formats import Format
from olm.foreign.configs._fvcore_runs import EARLY, Run
from olm.foreign.configs._groups import REST, Group, check_scaled
from olm.foreign.configs._source import Source

SCHEDULES = ("WarmupMultiStepLR", "WarmupCosineLR", "WarmupStepWithFixedGammaLR")


def translate(config: Config) -> Translation:
    """The schedule that `build_lr_scheduler` makes of the solver.

    Source: detectron2 0.6 of 2026, ``solver/build.py`` and ``solver/lr_scheduler.py``; fvcore
    0.1.5, ``param_scheduler.py``, which evaluates a schedule at the progress of the run.
    """
    config.source = with_bases(config.source)
    name = one_of(config, SCHEDULES, "SOLVER", "LR_SCHEDULER_NAME", default=SCHEDULES[0])
    lr = config.option("learning_rate") or config.number("SOLVER", "BASE_LR", default=0.001)
    total = config.option("total_steps") or config.whole("SOLVER", "MAX_ITER", default=40_000)
    _check_world_size(config)
    run = Run(config, int(total))
    main = {
        "WarmupMultiStepLR": _milestones,
        "WarmupCosineLR": _cosine,
        "WarmupStepWithFixedGammaLR": _equal_steps,
    }[name](run, lr)
    optimizer = {
        "weight_decay": config.number("SOLVER", "WEIGHT_DECAY", default=0.0001),
        "momentum": config.number("SOLVER", "MOMENTUM", default=0.9),
    }
    groups = _groups(config, lr)
    check_scaled(config, main, groups, lr)
    config.check_keys(KEYS, "SOLVER")
    return Translation(main, lr, optimizer, {"total_steps": int(total)}, groups=groups)


def _groups(config: Config, lr: float) -> list[Group]:
    """The param groups of ``get_default_optimizer_params``, if the file has a key of one."""
    norm, bias = ("SOLVER", "WEIGHT_DECAY_NORM"), ("SOLVER", "WEIGHT_DECAY_BIAS")
    factor = config.number("SOLVER", "BIAS_LR_FACTOR", default=None)
    own = config.number(*bias, default=None)
    groups = [Group(REST, "the other parameters")]
    if config.has(*norm):
        groups.append(Group("norms", "those of norms", norm, None, config.number(*norm)))
    if factor not in (None, 1) or own is not None:
        at = bias if factor in (None, 1) else ("SOLVER", "BIAS_LR_FACTOR")
        rate = None if factor in (None, 1) else lr * factor
        groups.append(Group("biases", "those that are named bias", at, rate, own))
    return groups if len(groups) > 1 else []


def _check_world_size(config: Config) -> None:
    """Refuse a schedule that is scaled with the number of devices, unless that is its own."""
    reference = config.whole("SOLVER", "REFERENCE_WORLD_SIZE", default=0)
    if reference and config.option("world_size") != reference:
        text = f"the solver is scaled if the run has not {reference} devices"
        hint = f"give --world-size {reference} if it has"
        path = ("SOLVER", "REFERENCE_WORLD_SIZE")
        raise config.refusal("unsupported-key", text, path, hint=hint)


def _milestones(run: Run, lr: float) -> Document:
    """The base rate, multiplied at steps that the configuration lists."""
    steps = _listed(run.config, "SOLVER", "STEPS", default=[30_000])
    used = [step for step in steps if step <= run.total]
    if len(used) < len(steps):
        run.config.note("the STEPS after MAX_ITER, which detectron2 ignores")
    if used != sorted(set(used)) or any(step >= run.total for step in used):
        text = "STEPS must be ascending and below MAX_ITER"
        raise run.config.refusal("unsupported-key", text, ("SOLVER", "STEPS"))

    def index(where: float, milestone: int) -> bool:
        return int((where + EARLY) * run.total) >= milestone

    return _falling(run, used, index, [step / run.total for step in used])


def _equal_steps(run: Run, lr: float) -> Document:
    """The base rate, multiplied at equal distances."""
    parts = count(run.config, "SOLVER", "NUM_DECAYS", default=3) + 1
    run.config.check_few(parts, "SOLVER", "NUM_DECAYS")
    if run.share == 1 and not run.rescaled:
        text = "fvcore has no value for the end of the run, at which the warm-up would end"
        raise run.config.refusal("unsupported-key", text, ("SOLVER", "WARMUP_ITERS"))

    def index(where: float, number: int) -> bool:
        return int((where + EARLY) * parts) >= number

    return _falling(run, [*range(1, parts)], index, [k / parts for k in range(1, parts)])


def _falling(
    run: Run, marks: list[int], index: Callable[[float, int], bool], shares: list[float]
) -> Document:
    """The base rate, multiplied by gamma once for each mark that the progress has reached."""
    gamma = run.config.number("SOLVER", "GAMMA", default=0.1)
    at_end = 0.0 if run.rescaled else run.share
    reached = sum(index(at_end, mark) for mark in marks)
    if run.share == 1:
        return run.up(gamma**reached)
    rest = (run.warmup, run.total - run.warmup) if run.rescaled else (0, run.total)
    steps = [
        run.first(partial(_reached, run, index, mark), rest[0] + share * rest[1])
        for mark, share in zip(marks, shares, strict=True)
    ]
    main: Document = {"kind": "MultiStepLR", "milestones": steps, "gamma": gamma}
    if not steps:
        main = {"kind": "HoldLR"}
    if run.method == "linear" and run.end and not reached and run.end == run.warmup:
        up = ramp(run.warmup, start_factor=run.factor, end_factor=1.0)
        return {"kind": "ChainedScheduler", "schedulers": [up, main]} if steps else up
    return run.warmed(main, gamma**reached, offset=bool(steps))


def _reached(run: Run, index: Callable[[float, int], bool], mark: int, step: int) -> bool:
    return index(run.progress(step), mark)


def _cosine(run: Run, lr: float) -> Document:
    """Half a cosine wave over the run, of which the warm-up replaces the beginning."""
    end = run.config.number("SOLVER", "BASE_LR_END", default=0.0) / lr
    floor = {"end_factor": end} if end else {}
    if run.share == 1:
        return run.up(1.0 if run.rescaled else end)
    if run.rescaled:
        main = ramp(run.total - run.warmup, ease="cosine", **floor)
        return run.warmed(main, 1.0, offset=False)
    ahead = {"offset": run.end} if run.end else {}
    main = ramp(run.total, ease="cosine", **floor, **ahead)
    reached = end + (1 - end) * 0.5 * (1 + cos(pi * run.share))
    return run.warmed(main, reached, offset=False)


def _listed(config: Config, *path: str, default: list[int]) -> list[int]:
    """The whole numbers of a tuple, which yacs reads from text."""
    value: Any = config.get(*path, default=default)
    if isinstance(value, str):
        try:
            value = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            value = None
    items = value if isinstance(value, list | tuple) else [None]
    numbers = [item for item in items if isinstance(item, int | float) and isfinite(item)]
    whole = [int(number) for number in numbers if number == int(number)]
    if len(whole) == len(items):
        return whole
    raise config.refusal("type", f"`{'.'.join(path)}` must be a tuple of steps", path)


KEYS = Keys(
    of="detectron2's solver",
    translated=names(
        "LR_SCHEDULER_NAME BASE_LR BASE_LR_END MAX_ITER MOMENTUM WEIGHT_DECAY GAMMA STEPS",
        "NUM_DECAYS WARMUP_FACTOR WARMUP_ITERS WARMUP_METHOD RESCALE_INTERVAL BIAS_LR_FACTOR",
        "REFERENCE_WORLD_SIZE WEIGHT_DECAY_NORM WEIGHT_DECAY_BIAS",
    ),
    harmless=names(
        "NESTEROV CHECKPOINT_PERIOD IMS_PER_BATCH CLIP_GRADIENTS AMP",
    ),
)


def is_it(source: Source) -> bool:
    """Whether a file has the base rate of detectron2's solver, or leaves it to a base file."""
    return source.has("SOLVER", "BASE_LR") or (source.has("SOLVER") and source.has("_BASE_"))


FORMAT = Format(
    title="detectron2",
    version="detectron2 0.6 of 2026, fvcore 0.1.5",
    marks="SOLVER.BASE_LR, or SOLVER with _BASE_",
    is_it=is_it,
    keys=KEYS,
    translate=translate,
)
