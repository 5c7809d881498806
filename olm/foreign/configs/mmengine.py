"""mmengine's Python configurations: mmdet, mmseg, mmpose, mmpretrain, mmdet3d."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from math import ceil
from typing import Any

from olm.fields.durations import exact
from olm.foreign.configs._code import Code
from olm.foreign.configs._config import CALL, MIDDLE, Config, Keys, Translation, names, one_of
from olm.foreign.configs._documents import base_rate, count
from olm.foreign.configs._epochs import Epochs, epochs_of
from olm.foreign.configs._formats import Format
from olm.foreign.configs._groups import check_own, check_scaled
from olm.foreign.configs._mmengine_files import merged
from olm.foreign.configs._mmengine_groups import groups_of
from olm.foreign.configs._mmengine_windows import ARGUMENTS, SHAPES, Node, Window, is_product
from olm.foreign.configs._source import Source
from olm.problem import Path, nearest

ENTRY = names("type param_name begin end by_epoch convert_to_iter_based verbose _scope_")
"""The arguments that every scheduler has."""

WRAPPER = Keys(
    of="mmengine's optim_wrapper",
    translated=names("optimizer accumulative_counts paramwise_cfg"),
    harmless=names(
        "type clip_grad loss_scale dtype constructor use_fp16 use_fsdp _scope_", "static_graph"
    ),
)
LOOP = Keys(
    of="mmengine's train_cfg",
    translated=names("type by_epoch max_epochs max_iters"),
    harmless=names("val_interval val_begin dynamic_intervals _scope_"),
)

ADAPTIVE = ("Adam", "Lamb", "Lion", "Adan")


def translate(config: Config) -> Translation:
    """The schedulers that the runner builds, which step after each iteration or epoch.

    Source: mmengine 0.10.7, ``runner/runner.py`` (``_build_param_scheduler``),
    ``hooks/param_scheduler_hook.py`` and ``optim/scheduler/param_scheduler.py``.
    """
    if config.has("lr_config") and not config.has("param_scheduler"):
        text = "lr_config is of mmcv 1, and mmengine reads param_scheduler"
        raise config.refusal("other-version", text, ("lr_config",))
    if config.has("_base_"):
        config.get("_base_")
    config.source = merged(config.source)
    paths = _paths(config)
    lr, optimizer = _optimizer(config)
    epochs, iters, epoch = _loop(config)
    total = epochs * epoch.steps if epochs and epoch.steps else iters
    curves: dict[str, list[Window]] = {}
    special: Node | None = None
    for path in paths:
        shape, number = _type(config, path)
        _check_arguments(config, path, shape)
        if shape in SHAPES:
            curves.setdefault(number, []).append(_window(config, path, shape, epochs, iters, epoch))
            continue
        if len(paths) > 1:
            text = f"{shape} beside other schedulers is not translated"
            raise config.refusal("unsupported-key", text, (*path, "type"))
        special = _special(config, _window(config, path, shape, epochs, iters, epoch))
    clock: Node = {} if total is None else {"total_steps": total}
    if total is not None and epoch.steps:
        clock["steps_per_epoch"] = epoch.steps

    def made(base: float) -> Node:
        if special is not None:
            return special
        return _curve(config, curves["lr"], base) if "lr" in curves else {"kind": "HoldLR"}

    groups = groups_of(config, lr, optimizer.get("weight_decay"))
    check_own(config, [group for group in groups if group.lr], lr, made)
    schedule = made(lr)
    check_scaled(config, schedule, [group for group in groups if group.lr == 0], lr)
    also = []
    for number, windows in curves.items():
        if number != "lr":
            name, base = _hyperparameter(config, number, windows[0], optimizer)
            also.append({"set": name, "schedule": _curve(config, windows, base)})
    return Translation(schedule, lr, optimizer, clock, also=also, groups=groups)


def _paths(config: Config) -> list[Path]:
    """Where the schedulers are."""
    value = config.peek("param_scheduler")
    if isinstance(value, dict) and "type" in value:
        return [("param_scheduler",)]
    if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        return [("param_scheduler", place) for place in range(len(value))]
    if value is None or isinstance(value, Code):
        config.get("param_scheduler")
    if isinstance(value, dict):
        config.check_keys(
            Keys("mmengine's param_scheduler", frozenset(value) - {CALL}), "param_scheduler"
        )
    text = "param_scheduler is no list of schedulers: one for each of several optimizers?"
    raise config.refusal("not-one-schedule", text, ("param_scheduler",))


def _name(value: Any) -> str:
    """The name of a class, as a string or as an imported name."""
    text = value.what.removeprefix("the name ") if isinstance(value, Code) else str(value)
    return text.rpartition(".")[2] if re.fullmatch(r"[\w.]+", text) else text


def _type(config: Config, path: Path) -> tuple[str, str]:
    """The shape of a scheduler, and the hyperparameter that it schedules."""
    name = _name(config.peek(*path, "type", default=""))
    for end, number in (("LR", "lr"), ("Momentum", "momentum"), ("ParamScheduler", "")):
        shape = name.removesuffix(end)
        if shape != name and shape in ARGUMENTS:
            config.taken[(*config.root, *path, "type")] = name
            return shape, number or config.text(*path, "param_name")
    known = [f"{shape}LR" for shape in ARGUMENTS]
    meant = nearest(name, known)
    hint = f"did you mean `{meant}`?" if meant else ""
    text = f"there is no scheduler `{name}` in mmengine"
    raise config.refusal("unknown-scheduler", text, (*path, "type"), hint)


def _check_arguments(config: Config, path: Path, shape: str) -> None:
    """Refuse the arguments that a scheduler does not have."""
    known = frozenset(ARGUMENTS[shape] | ENTRY)
    config.check_default(-1, MIDDLE, *path, "last_step")
    config.check_keys(Keys(f"mmengine's {shape}", known), *path)
    for key, value in config.peek(*path).items():
        if isinstance(value, dict) and "()" in value and key != "type":
            text = f"`{value['()']}(...)` would have to be run, and nothing in a file is run"
            raise config.refusal("needs-code", text, (*path, key))


def _optimizer(config: Config) -> tuple[float, dict[str, Any]]:
    """The base rate, and the other numbers of the optimizer."""
    at: Path = ("optim_wrapper", "optimizer")
    if isinstance(config.peek("optim_wrapper"), dict) and not config.has(*at):
        text = "optim_wrapper has no optimizer: there is one for each of several?"
        raise config.refusal("not-one-schedule", text, ("optim_wrapper",))
    config.check_keys(WRAPPER, "optim_wrapper")
    if config.whole("optim_wrapper", "accumulative_counts", default=None) not in (None, 1):
        text = "the schedulers step after each micro-batch, of which accumulative_counts are a step"
        raise config.refusal("interval", text, ("optim_wrapper", "accumulative_counts"))
    if config.given.learning_rate is None and config.flag("auto_scale_lr", "enable"):
        text = "auto_scale_lr multiplies the rate by the batch of all processes"
        hint = "give --learning-rate"
        raise config.refusal("auto-value", text, ("auto_scale_lr", "enable"), hint)
    lr = base_rate(config, *at, "lr")
    numbers: dict[str, Any] = {}
    for key in ("weight_decay", "momentum"):
        if config.has(*at, key):
            numbers[key] = config.number(*at, key)
    if config.has(*at, "betas"):
        numbers["betas"] = [config.number(*at, "betas", place) for place in range(2)]
    return lr, numbers


def _loop(config: Config) -> tuple[int | None, int | None, Epochs]:
    """The length of the run in epochs or in iterations, and the length of an epoch."""
    config.check_keys(LOOP, "train_cfg")
    if config.has("train_cfg", "type") and config.has("train_cfg", "by_epoch"):
        text = "mmengine rejects a train_cfg with both `type` and `by_epoch`"
        raise config.refusal("type", text, ("train_cfg", "by_epoch"))
    at: Path = ("train_cfg",)
    epochs = count(config, *at, "max_epochs") if config.has(*at, "max_epochs") else None
    iters = count(config, *at, "max_iters") if config.has(*at, "max_iters") else None
    total = config.option("total_steps")
    if iters is not None and epochs is None:
        return None, total or iters, epochs_of(config)
    if epochs is None:
        if total is None:
            config.need("total_steps", "the length of the run", "train_cfg")
        return None, total, epochs_of(config)
    counted = _steps_per_epoch(config)
    if total is not None and counted is None and config.given.steps_per_epoch is None:
        if total % epochs:
            text = f"{total} steps are not {epochs} equal epochs"
            raise config.refusal("type", text, ("train_cfg", "max_epochs"))
        counted = total // epochs
    return epochs, None, epochs_of(config, counted)


def _steps_per_epoch(config: Config) -> int | None:
    """The batches of an epoch, if the size of the data set is given."""
    size = config.option("dataset_size")
    if size is None:
        return None
    world = config.need("world_size", "the number of processes", "train_dataloader")
    at: Path = ("train_dataloader",)
    batch = count(config, *at, "batch_size")
    batches = exact(ceil(exact(size) / world)) / batch
    return int(batches) if config.flag(*at, "drop_last") else ceil(batches)


def _window(
    config: Config, path: Path, shape: str, epochs: int | None, iters: int | None, epoch: Epochs
) -> Window:
    """A scheduler, with its window in epochs or in steps."""
    by_epoch = config.flag(*path, "by_epoch", default=True)
    converted = config.flag(*path, "convert_to_iter_based")
    if by_epoch and not converted and epochs is None:
        text = "the scheduler steps after each epoch, and the loop of iterations has none"
        raise config.refusal("interval", text, (*path, "by_epoch"))
    if converted and not by_epoch:
        text = "convert_to_iter_based needs by_epoch"
        raise config.refusal("type", text, (*path, "convert_to_iter_based"))
    number = config.number if converted else config.whole
    begin = exact(number(*path, "begin", default=0))
    written = number(*path, "end", default=None)
    in_epochs, run = by_epoch, epochs if by_epoch else iters
    if by_epoch and epochs is None:
        # A loop of iterations counts as one epoch.
        run = 1
        config.need("steps_per_epoch", "the length of an epoch", *path, "by_epoch")
    if not by_epoch and iters is None and epochs is not None:
        run = epochs * epoch.steps if epoch.steps else None
        if run is None and written is None:
            if begin:
                config.need("steps_per_epoch", "the length of an epoch", *path)
            in_epochs, run, converted = True, epochs, True
    end = exact(written if written is not None else run or 0)
    if in_epochs and converted and epoch.steps:
        begin, end = (Fraction(int(x * epoch.steps)) / epoch.steps for x in (begin, end))
    elif in_epochs and converted and (begin.denominator, end.denominator) != (1, 1):
        config.need("steps_per_epoch", "the length of an epoch", *path)
    if end <= begin:
        raise config.refusal("type", f"end must be above begin, which is {begin}", path)
    is_known = in_epochs == by_epoch and not (by_epoch and epochs is None)
    is_last = is_known and run is not None and end >= run
    late = in_epochs and not converted
    return Window(config, path, shape, epoch, in_epochs, late, begin, end, is_last)


def _curve(config: Config, windows: list[Window], base: float) -> Node:
    """The schedule of a number that some windows set."""
    ordered = _in_order(windows)
    if ordered is not None:
        return _sequence(config, ordered, base)
    if all(map(is_product, windows)):
        parts = [_from_begin(window, SHAPES[window.shape](window, base, base).node)
                 for window in windows]  # fmt: skip
        return {"kind": "ChainedScheduler", "schedulers": parts}
    places = [window.place(window.begin) for window in windows]
    if None in places or None in [window.place(window.end) for window in windows]:
        config.need("steps_per_epoch", "the length of an epoch", *windows[0].path)
    text = "this scheduler changes the rate while another one does, and has a floor"
    which = next(window for window in windows if not is_product(window))
    raise config.refusal("unsupported-key", text, which.path)


def _from_begin(window: Window, node: Node) -> Node:
    if not window.begin:
        return node
    hold = {"kind": "HoldLR"}
    milestones = [window.span(window.begin)]
    return {"kind": "SequentialLR", "schedulers": [hold, node], "milestones": milestones}


def _in_order(windows: list[Window]) -> list[Window] | None:
    """The windows in the order of time, if no two are active at once; else None."""
    same = len({window.in_epochs for window in windows}) == 1
    spans: list[tuple[Fraction, Fraction, int, Window]] = []
    for order, window in enumerate(windows):
        first = window.begin if same else window.place(window.begin)
        last = window.end if same else window.place(window.end)
        if first is None or last is None:
            return None
        spans.append((first, last, order, window))
    spans.sort(key=lambda span: span[:3])
    if any(not _is_over(before, after) for before, after in pairwise(spans)):
        return None
    return [window for *_, window in spans]


def _is_over(
    before: tuple[Fraction, Fraction, int, Window], after: tuple[Fraction, Fraction, int, Window]
) -> bool:
    """Whether a window has set its last rate when the next one begins from it.

    mmengine moves the schedulers in the order of the list, so that they may have a step in common.
    """
    in_common = before[3].unit_is_a_step and after[3].unit_is_a_step and before[2] < after[2]
    return before[1] - in_common <= after[0]


def _begin_together(window: Window, other: Window) -> bool:
    same_unit = window.unit_is_a_step and other.unit_is_a_step
    return same_unit and window.begin == other.begin


def _sequence(config: Config, windows: list[Window], base: float) -> Node:
    """Windows one after another, each from the rate at which the one before it stopped."""
    nodes: list[Node] = []
    milestones: list[int | str] = []
    value = base
    for place, window in enumerate(windows):
        if value != value:
            if window.epoch.steps is None:
                config.need("steps_per_epoch", "the length of an epoch", *window.path)
            text = "the rate at which the scheduler before it stops is not computed"
            raise window.refused(text)
        part = SHAPES[window.shape](_bounded(window, windows, place), value, base)
        value = part.after
        following = windows[place + 1] if place + 1 < len(windows) else None
        if following is not None and _begin_together(window, following):
            # Its only step is the first one of the next window.
            continue
        if window.begin or nodes:
            nodes = nodes or [{"kind": "HoldLR"}]
            milestones.append(window.span(window.begin))
        nodes.append(part.node)
    if len(nodes) == 1:
        return nodes[0]
    return {"kind": "SequentialLR", "schedulers": nodes, "milestones": milestones}


def _bounded(window: Window, windows: list[Window], place: int) -> Window:
    """A window whose end needs no freezing if the next one begins there."""
    following = windows[place + 1] if place + 1 < len(windows) else None
    meets = following is not None and (
        (window.in_epochs == following.in_epochs and window.end == following.begin)
        or (
            window.place(window.end) is not None
            and window.place(window.end) == following.place(following.begin)
        )
    )
    return replace(window, is_last=window.is_last or meets)


def _special(config: Config, window: Window) -> Node:
    """The schedulers that stand alone."""
    path = window.path
    if window.shape == "OneCycle":
        if window.is_late or window.begin:
            raise window.refused("a OneCycleLR is translated from step 0 on, and not by epoch")
        total = Fraction(config.whole(*path, "total_steps", default=None) or window.length)
        if total < window.length:
            raise window.refused(
                "mmengine raises an error after total_steps", "type", "total_steps"
            )
        node: Node = {"kind": "OneCycleLR", "max_lr": config.number(*path, "eta_max")}
        node["total_steps"] = window.span(total)
        for key, default in (("pct_start", 0.3), ("div_factor", 25.0), ("final_div_factor", 1e4)):
            node[key] = config.number(*path, key, default=default)
        node["anneal_strategy"] = config.text(*path, "anneal_strategy", default="cos")
        node["three_phase"] = config.flag(*path, "three_phase")
        return node if total == window.length else window.frozen(node, window.length)
    if window.begin or config.has(*path, "end"):
        raise window.refused("the window of a plateau is not translated")
    config.note("the plateau observes `monitor` after each validation")
    modes = {"less": "min", "greater": "max"}
    mode = modes[one_of(config, modes, *path, "rule", default="less")]
    config.text(*path, "monitor", default="loss")
    node = {"kind": "ReduceLROnPlateau", "mode": mode}
    for key, ours, default in (
        ("factor", "factor", 0.1), ("patience", "patience", 10), ("threshold", "threshold", 1e-4),
        ("cooldown", "cooldown", 0), ("min_value", "min_lr", 0.0), ("eps", "eps", 1e-8),
    ):  # fmt: skip
        node[ours] = config.number(*path, key, default=default)
    node["threshold_mode"] = config.text(*path, "threshold_rule", default="rel")
    return node


def _hyperparameter(
    config: Config, number: str, window: Window, optimizer: dict[str, Any]
) -> tuple[str, float]:
    """The name of a hyperparameter, and its number, which the optimizer must have."""
    kind = _name(config.peek("optim_wrapper", "optimizer", "type", default=""))
    if number == "momentum" and any(word in kind for word in ADAPTIVE):
        if "betas" not in optimizer:
            config.defaults["optim_wrapper.optimizer.betas"] = [0.9, 0.999]
            optimizer["betas"] = [0.9, 0.999]
        number, base = "betas[0]", optimizer["betas"][0]
    else:
        base = optimizer.get(number)
    if not base:
        text = f"the optimizer does not specify {number}, which is scheduled"
        raise window.refused(text, "needs-key")
    return number, base


def is_it(source: Source) -> bool:
    """Whether a Python file has `param_scheduler` with `optim_wrapper`, or a `_base_` for them."""
    if source.form != "python" or not isinstance(source.value, dict):
        return False
    has = source.value.keys() & {"param_scheduler", "optim_wrapper", "_base_", "lr_config"}
    return has >= {"param_scheduler", "optim_wrapper"} or bool(has & {"_base_", "lr_config"})


FORMAT = Format(
    title="mmengine",
    version="mmengine 0.10.7",
    marks="param_scheduler with optim_wrapper (Python)",
    is_it=is_it,
    keys=WRAPPER,
    translate=translate,
)
