"""The targets of `olm export`, found by their folder, and the run that they write."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

from olm.problem import Problem, RateError, SpecError, listed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from olm.schedule.clock import Clock
    from olm.schedule.schedule import Schedule
    from olm.spec.spec import Spec

TOLERANCE = 1e-12
"""The largest difference of rates that are equal, as a share of the highest rate."""

KEEP = "keep it as a spec: olm.scheduler(spec, optimizer)"
"""What to do with a spec that no text has."""


@dataclass(frozen=True)
class Run:
    """What to write: a spec in optimizer steps, its base rate, and the steps that count."""

    spec: Spec
    base: float
    """The base rate; 1 if it is unknown."""
    steps: int
    """The run has the steps 0 to `steps` - 1."""
    name: str = "the spec"
    """The file of the spec, for comments."""
    length_is_known: bool = True
    """Whether the run ends after the steps, so that later ones do not count."""
    clock: Clock | None = None
    """The clock that counts the samples of the run, if it is known."""
    base_is_chosen: bool = False
    """Whether the user chose the base rate, of one of several param groups."""

    @property
    def schedule(self) -> Schedule:
        """The schedule of the rate."""
        return self.spec.schedule

    def step_numbers(self) -> NDArray[Any]:
        """The steps of the run, from 0 on."""
        import numpy as np

        return np.arange(self.steps)

    def marks(self) -> list[int]:
        """The steps of the run at which the curve may bend, 0 among them."""
        ends = (mark for mark in self.schedule.marks() if 0 < mark < self.steps)
        return sorted({0, *ends})


@dataclass(frozen=True)
class Target:
    """A framework whose configuration can be written."""

    title: str
    """What is written, such as ``torch code``."""
    write: Callable[[Run], str]
    """The text.

    Raises:
        SpecError: the framework has no schedule with these rates.
    """
    rate_alone: bool = True
    """Whether the text has the learning rate alone, so that a spec with targets is refused."""
    needs_base: bool = False
    """Whether the text has the base rate."""
    observes: bool = False
    """Whether the rate can follow a metric."""
    many_bases: bool = False
    """Whether each param group of the program keeps its own base rate."""
    has_optimizer: bool = False
    """Whether the text has the numbers of the optimizer."""


@cache
def targets() -> dict[str, Target]:
    """Every target by its name, which is that of its file with hyphens.

    >>> "torch" in targets(), "transformers-call" in targets()
    (True, True)
    """
    found = [module.name for module in iter_modules([str(Path(__file__).parent)])]
    return {
        name.replace("_", "-"): import_module(f"olm.foreign.exports.{name}").TARGET
        for name in found
        if not name.startswith("_")
    }


def export(run: Run, target: Target) -> str:
    """The text of a run for a framework.

    Raises:
        SpecError: the framework has no schedule with these rates.
    """
    if target.rate_alone and run.spec.also:
        also = listed([item.label for item in run.spec.also], "and")
        text = f"the spec also schedules {also}, and {target.title} has the learning rate alone"
        raise refused(text, "export it without `also`")
    _check_groups(run, target)
    if run.schedule.metric_driven and not target.observes:
        text = f"a metric moves the rate of {run.schedule.kind}, and {target.title} has no metrics"
        raise refused(text, KEEP)
    try:
        return target.write(run)
    except RateError as error:
        raise refused(f"{error}, and no framework trains with it", "export fewer --steps") from None


def _check_groups(run: Run, target: Target) -> None:
    """Refuse param groups with numbers of their own, which a text does not have.

    Raises:
        SpecError: there are some.
    """
    from olm.spec.hyperparameters import LR
    from olm.spec.own_numbers import own_numbers

    numbers = {name for group in run.spec.param_groups for name, _ in group.numbers}
    checked = numbers if target.has_optimizer else numbers & {LR}
    if len(run.spec.base_lrs or ()) > 1:
        checked.add(LR)
    differing = [name for name in sorted(checked) if len(own_numbers(run.spec, name, None)) != 1]
    if LR in differing and (target.many_bases or run.base_is_chosen):
        differing.remove(LR)
    if differing:
        text = f"the param groups differ in {listed(differing, 'and')}, and {target.title} has one"
        hint = "add --base-lr to export one base rate" if differing == [LR] else ""
        raise refused(text, hint or "export it without the numbers of `param_groups`")


def refused(text: str, hint: str = "") -> SpecError:
    """The refusal of a spec that a framework cannot train with."""
    return SpecError([Problem("cannot-export", text, hint=hint)])
