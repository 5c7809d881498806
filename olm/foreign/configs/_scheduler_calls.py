"""Files that name scheduler classes with their arguments: LightningCLI's and Hydra's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from olm.foreign.configs._config import Config, Keys, Refusal, Translation
from olm.foreign.configs._interpolation import resolved
from olm.foreign.configs._torch_call import Call, Document, Tick
from olm.foreign.configs._torch_classes import CLASSES, HARMLESS, momentum_of, schedule_of
from olm.problem import Path, Problem, SpecError, dotted, listed

TORCH = (
    "torch.optim.lr_scheduler",
    "torch.optim",
    "lightning.pytorch.cli",
    "pytorch_lightning.cli",
)
"""The modules that have torch's classes."""

OLM = "olm.train.schedulers"
"""The module of olm's own classes, whose arguments are the spec."""

OPTIMIZERS = ("optimizer", "optim", "optimizer_init")
"""The keys of the optimizer beside a scheduler."""

RATES = {
    "Adam": 1e-3,
    "AdamW": 1e-3,
    "NAdam": 2e-3,
    "RAdam": 1e-3,
    "Adamax": 2e-3,
    "SGD": 1e-3,
    "RMSprop": 1e-2,
    "Adagrad": 1e-2,
    "Adadelta": 1.0,
}
"""The optimizers of torch, with the rate that each has by default."""

MOMENTUM = {"SGD": "momentum", "RMSprop": "momentum"}
"""The optimizers whose momentum is not the first of `betas`."""


@dataclass(frozen=True)
class Style:
    """How the files of a framework name a class and its arguments."""

    key: str
    """The key of the name: ``class_path`` or ``_target_``."""
    arguments: str = ""
    """The key of the arguments, if they are not beside the name."""
    bare: bool = False
    """Whether a class may be named without its module."""

    def is_scheduler(self, name: Any) -> bool:
        """Whether a name is that of a scheduler class of torch or olm."""
        if not isinstance(name, str):
            return False
        module, _, bare = name.rpartition(".")
        if module.startswith(OLM) or name == "olm.build" or module == TORCH[0]:
            return True
        return bare in CLASSES and (module in TORCH or (self.bare and not module))

    def call(self, config: Config, site: Path) -> tuple[str, Path]:
        """The full name of a class, and where its arguments are."""
        name = config.text(*site, self.key)
        return name, (*site, self.arguments) if self.arguments else site

    def child(self, config: Config, site: Path) -> tuple[str, Path]:
        """The name of a class of torch, and where its arguments are.

        Raises:
            Refusal: it is no class of torch.
        """
        name, path = self.call(config, site)
        module, _, bare = name.rpartition(".")
        if module in TORCH or (self.bare and not module):
            return bare, path
        text = f"`{name}` is no class of torch: only its code could tell the rates"
        raise config.refusal("needs-code", text, (*site, self.key))

    def sites(self, value: Any, path: Path = ()) -> Iterator[Path]:
        """Where schedulers are named, but not those inside others."""
        if isinstance(value, Mapping):
            name = value.get(self.key)
            by_key = bool(path) and path[-1] == "lr_scheduler" and isinstance(name, str)
            if self.is_scheduler(name) or (by_key and bool(self.arguments)):
                yield path
                return
            for key, item in value.items():
                yield from self.sites(item, (*path, key))
        elif isinstance(value, list):
            for index, item in enumerate(value):
                yield from self.sites(item, (*path, index))


def translated(config: Config, style: Style, *, interval: str | None = None) -> Translation:
    """The translation of the only scheduler of a file.

    Args:
        config: the file.
        style: how it names classes.
        interval: how often the framework steps the scheduler of a file by default; None if its
            code decides that.

    Raises:
        Refusal: it has no scheduler or several, or one that olm cannot say exactly.
    """
    site = _only_site(config, style)
    config.source = replace(config.source, value=resolved(config.source.value))
    name, path = style.call(config, site)
    if style.arguments:
        config.check_keys(Keys("LightningCLI", frozenset({style.key, style.arguments})), *site)
    optimizer, numbers = _optimizer(config, style, site)
    if name == "olm.build" or name.startswith(f"{OLM}."):
        return _own(config, name, path, numbers)
    call = Call(config, *style.child(config, site), style.child, lr=numbers.get("lr"))
    if monitor := _monitor(config, site, path):
        config.note(f"the metric that the plateau observes is {monitor}")
    if call.name == "ReduceLROnPlateau":
        return _with(config, call, schedule_of(call), optimizer, numbers, {})
    default = interval if site[-1:] == ("lr_scheduler",) and len(site) <= 2 else None
    call, clock = _timed(config, call, site, default)
    return _with(config, call, schedule_of(call), optimizer, numbers, clock)


def _only_site(config: Config, style: Style) -> Path:
    """Where the scheduler is. The configuration is then the whole file."""
    root, config.root = config.root, ()
    found = [site for site in style.sites(config.source.value) if site[: len(root)] == root]
    if not found:
        text = f"there is no scheduler with `{style.key}` in the file"
        raise config.refusal("needs-key", text, root)
    if len(found) > 1:
        places = listed([dotted(site) for site in found], "and")
        text = f"the file has {len(found)} schedulers: {places}"
        raise config.refusal("not-one-schedule", text, found[1], hint="choose one with --at")
    return found[0]


def _with(
    config: Config,
    call: Call,
    schedule: Document,
    optimizer: str,
    numbers: dict[str, float],
    clock: Document,
) -> Translation:
    """The translation, with the momentum if the scheduler moves it."""
    rest = {key: value for key, value in numbers.items() if key != "lr"}
    lr = numbers.get("lr")
    if lr is None and call.name in ("OneCycleLR", "CyclicLR"):
        lr = call.number("max_lr" if call.name == "OneCycleLR" else "base_lr")
    also = []
    if momentum := momentum_of(call, schedule):
        if optimizer in RATES:
            target = {"set": MOMENTUM.get(optimizer, "betas[0]"), "schedule": momentum}
            also.append({**target, "base": 1.0} if momentum["kind"] == "TableLR" else target)
        else:
            config.note("the scheduler also moves the momentum, of an optimizer that is not known")
    return Translation(schedule, lr, rest, clock, also=also)


def _monitor(config: Config, site: Path, path: Path) -> str | None:
    """The metric of a plateau, an argument or a key beside the scheduler."""
    for place in (path, site[:-1]):
        if config.has(*place, "monitor"):
            return str(config.text(*place, "monitor"))
    return None


def _optimizer(config: Config, style: Style, site: Path) -> tuple[str, dict[str, float]]:
    """The class of the optimizer near a scheduler, and the numbers that it is constructed with."""
    name, numbers, place = "", {}, _optimizer_site(config, style, site)
    if place is not None:
        path = place
        if config.has(*place, style.key):
            full, path = style.call(config, place)
            name = full.rpartition(".")[2]
        for key in ("lr", "weight_decay", "momentum"):
            if (value := config.number(*path, key, default=None)) is not None:
                numbers[key] = value
        betas = config.peek(*path, "betas")
        for index in range(len(betas) if isinstance(betas, list) and len(betas) == 2 else 0):
            numbers[f"betas[{index}]"] = config.number(*path, "betas", index)
        if "lr" not in numbers and name in RATES:
            numbers["lr"] = config.number(*path, "lr", default=RATES[name])
    if (given := config.option("learning_rate")) is not None:
        numbers["lr"] = given
    if "lr" not in numbers:
        config.note("the base rate, which the file does not have")
    return name, numbers


def _optimizer_site(config: Config, style: Style, site: Path) -> Path | None:
    """Where the optimizer is: beside the scheduler, or beside what contains it."""
    for length in range(len(site) - 1, -1, -1):
        for key in OPTIMIZERS:
            place = (*site[:length], key)
            mapping = config.peek(*place)
            if isinstance(mapping, Mapping) and (style.key in mapping or "lr" in mapping):
                return place
    return None


def _timed(
    config: Config, call: Call, site: Path, default: str | None
) -> tuple[Call, dict[str, Any]]:
    """A call that knows when its scheduler moves, and the clock of the run."""
    tick = _tick(config, site, default)
    per_epoch, total = config.option("steps_per_epoch"), config.option("total_steps")
    place = ("trainer",) if config.has("trainer") else (*site[:1], "trainer")
    epochs = _positive(config, *place, "max_epochs")
    steps = _positive(config, *place, "max_steps")
    lengths = [total or steps, epochs and per_epoch and round(epochs * per_epoch)]
    total = min((length for length in lengths if length), default=None)
    moves = epochs if tick.unit else total
    clock = {"steps_per_epoch": per_epoch, "total_steps": total}
    used = {key: value for key, value in clock.items() if value is not None}
    moves = None if moves is None else -(-moves // tick.count)
    return replace(call, tick=tick, moves=moves), used


def _positive(config: Config, *path: str | int) -> int | None:
    """A length that Lightning counts; -1 is none."""
    value = config.whole(*path, default=None)
    return value if value is not None and value > 0 else None


def _tick(config: Config, site: Path, default: str | None) -> Tick:
    """When a scheduler moves: by an option, a key beside it, or the framework's default.

    Raises:
        Refusal: none of them says it.
    """
    beside = site[:-1]
    interval = config.option("interval") or config.text(*beside, "interval", default=None)
    count = config.whole(*beside, "frequency", default=None) or 1
    if interval is None and default is not None:
        interval = config.defaults["interval"] = default
    if interval is None and config.given.steps_per_epoch is not None:
        interval = "epoch"
    if interval not in ("step", "epoch") or (interval == "step" and count != 1):
        text = "the file does not specify whether the scheduler moves every step or every epoch"
        if interval is not None:
            text = f"a scheduler that moves every {count} of `{interval}` is not translated"
        hint = "give --interval epoch or --interval step"
        raise config.refusal("interval", text, site, hint=hint)
    return Tick(count, "ep" if interval == "epoch" else "")


def _own(config: Config, name: str, path: Path, numbers: dict[str, float]) -> Translation:
    """The translation of a class of olm, whose arguments are the spec."""
    from olm.spec.spec import parse

    arguments = config.get(*path, default=None) or {}
    if name == "olm.build":
        path = (*path, "spec")
        document = config.get(*path)
        if not isinstance(document, Mapping):
            text = "`spec` names a file, which is a spec already"
            raise config.refusal("not-one-schedule", text, path)
    else:
        kind = name.rpartition(".")[2]
        rest = {key: value for key, value in arguments.items() if key not in HARMLESS}
        document = {"kind": kind, **rest}
    try:
        parse(document)
    except SpecError as error:
        raise Refusal([_moved(config, problem, path) for problem in error.problems]) from None
    config.note("how often the scheduler steps: its numbers of steps count its own steps")
    own = document.get("optimizer", {})
    rest = {key: value for key, value in numbers.items() if key not in ("lr", *own)}
    return Translation(dict(document), own.get("lr", numbers.get("lr")), {**rest, **own})


def _moved(config: Config, problem: Problem, path: Path) -> Problem:
    """A problem of a spec in a file, where it is in the file."""
    full = (*path, *problem.path)
    return replace(problem, path=full, place=config.source.place_of(full, False))
