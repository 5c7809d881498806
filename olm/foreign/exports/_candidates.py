"""The configuration with the rates of a run, among those that a framework could have.

Each is imported, as `olm import` does, so that the proof of an export is that of the import.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from olm.foreign.exports._targets import TOLERANCE, Run, refused
from olm.problem import OlmError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from olm.schedule.schedule import Schedule

FEW = 257
"""At how many steps every candidate is compared; at all of the run only if it is equal there."""


@dataclass(frozen=True)
class Candidate:
    """A configuration that a framework can read."""

    name: str
    """Its schedule in the words of the framework, such as ``cosine``."""
    settings: dict[str, Any]


def best(run: Run, candidates: Iterable[Candidate], form: str, title: str) -> str:
    """The text of the candidate with the rates of the run.

    Args:
        run: the run.
        candidates: what the framework could train with.
        form: the name of the format of `olm import`.
        title: the framework, for the refusal.

    Raises:
        SpecError: no candidate has the rates; the nearest is named.
    """
    import numpy as np

    steps = run.step_numbers()
    rates = run.schedule.lr(steps, run.base)
    few = np.unique([*np.linspace(0, run.steps - 1, FEW).astype(int), *run.marks()])
    allowed = TOLERANCE * float(np.abs(rates).max())
    nearest: tuple[float, Candidate, Schedule] | None = None
    for candidate in candidates:
        if (schedule := _imported(candidate, form)) is None:
            continue
        largest = _largest(schedule, few, rates[few], run.base)
        if largest <= allowed and _largest(schedule, steps, rates, run.base) <= allowed:
            return as_yaml(run, candidate.settings)
        if nearest is None or largest < nearest[0]:
            nearest = largest, candidate, schedule
    hint = "--to torch has a formula for every rate of the step"
    if nearest is None:
        raise refused(f"{title} has no schedule like {run.schedule.kind}", hint)
    _, candidate, schedule = nearest
    differs = np.abs(schedule.lr(steps, run.base) - rates)
    at = int(differs.argmax())
    text = f"{title} has no schedule with these rates: the nearest is {candidate.name}, which"
    raise refused(f"{text} differs by up to {differs[at]:.3g}, at step {at:,}", hint)


def _imported(candidate: Candidate, form: str) -> Schedule | None:
    """A candidate as a schedule; None if the framework would reject it."""
    from olm.foreign.configs._config import Config, Given
    from olm.foreign.configs._formats import formats
    from olm.foreign.configs._source import Source
    from olm.problem import Place
    from olm.spec.spec import parse
    from olm.text.source import Text

    text = Text("export.yaml", "")
    here = Place(text.file, 1, 1, 1)
    source = Source(text, "yaml", candidate.settings, lambda path, key: here)
    try:
        translation = formats()[form].translate(Config(source, Given(), ()))
        if translation.also or translation.param_groups:
            return None
        clock = {"clock": translation.clock} if translation.clock else {}
        return parse({**translation.schedule, **clock}).resolve().schedule
    except OlmError:
        return None


def _largest(schedule: Schedule, steps: NDArray[Any], rates: NDArray[Any], base: float) -> float:
    """The largest difference at some steps."""
    import numpy as np

    return float(np.abs(schedule.lr(steps, base) - rates).max())


def as_yaml(run: Run, settings: dict[str, Any]) -> str:
    """The text of settings, below a comment."""
    import yaml

    lines = yaml.safe_dump(settings, sort_keys=False)
    name = run.name.replace("\n", " ")
    return f"# The learning rate of {name} with base rate {run.base!r}, by `olm export`.\n{lines}"


def numbers(schedule: Schedule, *fields: str) -> Iterator[Any]:
    """The numbers that some fields of a schedule and of its parts have."""
    for name, value in schedule:
        if name in fields and value is not None:
            yield value
    for part in schedule.parts():
        yield from numbers(part.schedule, *fields)
