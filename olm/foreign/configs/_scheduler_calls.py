"""Files that name scheduler classes with their arguments: LightningCLI's and Hydra's."""

from __future__ import annotations

from collections.abc import Mapping

from olm.foreign.configs._class_names import OLM, Style
from olm.foreign.configs._config import Config, Keys, Refusal, Translation
from olm.foreign.configs._documents import Document
from olm.foreign.configs._moves import timed
from olm.foreign.configs._optimizer_beside import MOMENTUM, RATES, optimizer_beside
from olm.foreign.configs._torch_call import Call
from olm.foreign.configs._torch_classes import HARMLESS, schedule_of
from olm.foreign.configs._torch_cycles import momentum_of
from olm.problem import Path, Problem, SpecError, dotted, listed


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
    name, path = style.call(config, site)
    if style.arguments:
        config.check_keys(Keys("LightningCLI", frozenset({style.key, style.arguments})), *site)
    optimizer, numbers = optimizer_beside(config, style, site)
    if name == "olm.build" or name.startswith(f"{OLM}."):
        return _own(config, name, path, numbers)
    call = Call(config, *style.child(config, site), style.child, lr=numbers.get("lr"))
    if monitor := _monitor(config, site, path):
        config.note(f"the metric that the plateau observes is {monitor}")
    if call.name == "ReduceLROnPlateau":
        return _with(config, call, schedule_of(call), optimizer, numbers, {})
    default = interval if site[-1:] == ("lr_scheduler",) and len(site) <= 2 else None
    call, clock = timed(config, call, site, default)
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
    return problem._replace(path=full, place=config.source.place_of(full, False))
