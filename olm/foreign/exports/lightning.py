"""LightningCLI's YAML: an optimizer and one of torch's schedulers, by `class_path`.

LightningCLI moves a scheduler once per epoch. Rates that change within epochs need three lines of
code, which a comment above the file has. A sequence of schedulers would need more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from olm.foreign.exports._candidates import Candidate, best
from olm.foreign.exports._optimizers import optimizer_arguments, optimizer_class, yaml_with_choice
from olm.foreign.exports._targets import Run, Target
from olm.foreign.exports._torch_calls import Call, single_calls, slower
from olm.problem import SpecError

BY_STEP = """\
# LightningCLI moves a scheduler once per epoch, and this one moves at every step:
# class StepCLI(LightningCLI):
#     @staticmethod
#     def configure_optimizers(lightning_module, optimizer, lr_scheduler=None):
#         return [optimizer], [{"scheduler": lr_scheduler, "interval": "step"}]
"""


def write(run: Run) -> str:
    """The configuration, if possible one that needs no code."""
    if per_epoch := _steps_per_epoch(run):
        try:
            return best(run, by_epoch(run, per_epoch), "lightning", "LightningCLI", _text)
        except SpecError:
            pass
    return best(run, by_step(run), "lightning", "LightningCLI without code", _text_by_step)


def by_epoch(run: Run, per_epoch: int) -> Iterator[Candidate]:
    """The classes whose steps are epochs."""
    slowed = (slower(call, per_epoch) for call in _calls_of_epochs(run, per_epoch))
    for call in slowed:
        if call is not None:
            yield _candidate(run, call, {"steps_per_epoch": per_epoch})


def by_step(run: Run) -> Iterator[Candidate]:
    """The classes whose steps are those of the optimizer."""
    for call in single_calls(run):
        yield _candidate(run, call, {"interval": "step"})


def _calls_of_epochs(run: Run, per_epoch: int) -> Iterable[Call]:
    """Calls in steps for the rates at the ends of epochs."""
    schedule = run.schedule
    if schedule.kind == "TimeLR":
        inside = [part.schedule for part in schedule.parts()]
        spec = run.spec.trusted(inside[0])
        yield from single_calls(Run(spec, run.base, run.steps))
    yield from single_calls(run)


def _steps_per_epoch(run: Run) -> int | None:
    """The steps of an epoch, if the spec has them; any number will do for a constant rate."""
    if _is_constant(run):
        return 1
    clock = run.clock or run.spec.clock
    known = clock and clock.steps_per_epoch
    return int(known) if known and known == int(known) else None


def _is_constant(run: Run) -> bool:
    rates = run.schedule.lr(run.step_numbers(), run.base)
    return bool((rates == rates[0]).all())


def _candidate(run: Run, call: Call, options: dict[str, Any]) -> Candidate:
    name, arguments = call
    optimizer = f"torch.optim.{optimizer_class(run)}"
    settings: dict[str, Any] = {
        "optimizer": {"class_path": optimizer, "init_args": optimizer_arguments(run)},
        "lr_scheduler": {
            "class_path": f"torch.optim.lr_scheduler.{name}",
            "init_args": arguments,
        },
    }
    if run.length_is_known:
        settings = {"trainer": {"max_steps": run.steps}, **settings}
    return Candidate(name, settings, options)


def _text(run: Run, settings: dict[str, Any]) -> str:
    return yaml_with_choice(run, settings, optimizer_class(run))


def _text_by_step(run: Run, settings: dict[str, Any]) -> str:
    return f"{BY_STEP}{_text(run, settings)}"


TARGET = Target(title="LightningCLI's YAML", write=write, needs_base=True, has_optimizer=True)
