"""The configuration with the rates of a run, among those that a framework could have.

Each is imported, as `olm import` does, so that the proof of an export is that of the import.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from olm.foreign.exports._targets import KEEP, TOLERANCE, Run, refused
from olm.problem import OlmError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from olm.schedule.schedule import Schedule

_Imported: TypeAlias = "tuple[Schedule, float]"

FEW = 257
"""At how many steps every candidate is compared; at all of the run only if it is equal there."""


@dataclass(frozen=True)
class Candidate:
    """A configuration that a framework can read."""

    name: str
    """Its schedule in the words of the framework, such as ``cosine``."""
    settings: dict[str, Any]
    options: dict[str, Any] = field(default_factory=dict)
    """What `olm import` must be given to read it, such as ``{"interval": "step"}``."""


def as_yaml(run: Run, settings: dict[str, Any]) -> str:
    """The text of settings, below a comment."""
    import yaml

    return f"# {heading(run)}\n{yaml.safe_dump(settings, sort_keys=False)}"


def heading(run: Run) -> str:
    """What a text has, in a sentence for its first line."""
    name = run.name.replace("\n", " ")
    return f"The learning rate of {name} with base rate {run.base!r}, by `olm export`."


def best(
    run: Run,
    candidates: Iterable[Candidate],
    form: str,
    title: str,
    text: Callable[[Run, dict[str, Any]], str] = as_yaml,
    tolerance: float = TOLERANCE,
    hint: str = "",
) -> str:
    """The text of the candidate with the rates of the run.

    Args:
        run: the run.
        candidates: what the framework could train with.
        form: the name of the format of `olm import`.
        title: the framework, for the refusal.
        text: writes the settings of a candidate.
        tolerance: the largest difference of rates that are equal, as a share of the highest rate.
        hint: what to do after a refusal, by default to export torch code.

    Raises:
        SpecError: no candidate has the rates; the nearest is named.
    """
    import numpy as np

    steps = run.step_numbers()
    rates = run.schedule.lr(steps, run.base)
    few = np.unique([*np.linspace(0, run.steps - 1, FEW).astype(int), *run.marks()])
    allowed = tolerance * float(np.abs(rates).max())
    nearest: tuple[float, Candidate, _Imported] | None = None
    for candidate in candidates:
        if (imported := _imported(candidate, form, run.base)) is None:
            continue
        largest = _largest(imported, few, rates[few])
        if largest <= allowed and _largest(imported, steps, rates) <= allowed:
            return text(run, candidate.settings)
        if nearest is None or largest < nearest[0]:
            nearest = largest, candidate, imported
    has_formula = run.schedule.axis_of_parts == "steps"
    formula = "--to torch has a formula for every rate of the step" if has_formula else KEEP
    hint = hint or formula
    if nearest is None:
        raise refused(f"{title} has no schedule like {run.schedule.kind}", hint)
    _, candidate, (schedule, base) = nearest
    differs = np.abs(schedule.lr(steps, base) - rates)
    at = int(differs.argmax())
    message = f"{title} has no schedule with these rates: the nearest is {candidate.name}, which"
    raise refused(f"{message} differs by up to {differs[at]:.3g}, at step {at:,}", hint)


def _imported(candidate: Candidate, form: str, base: float) -> _Imported | None:
    """A candidate as a schedule with its base rate; None if the framework would reject it."""
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
        translation = formats()[form].translate(Config(source, Given(**candidate.options), ()))
        if translation.also or translation.groups:
            return None
        clock = {"clock": translation.clock} if translation.clock else {}
        schedule = parse({**translation.schedule, **clock}).resolve().schedule
    except OlmError:
        return None
    return schedule, translation.lr or base


def _largest(imported: _Imported, steps: NDArray[Any], rates: NDArray[Any]) -> float:
    """The largest difference at some steps."""
    import numpy as np

    schedule, base = imported
    return float(np.abs(schedule.lr(steps, base) - rates).max())


def numbers(schedule: Schedule, *fields: str) -> Iterator[Any]:
    """The numbers that some fields of a schedule and of its parts have."""
    for name, value in schedule:
        if name in fields and value is not None:
            yield value
    for part in schedule.parts():
        yield from numbers(part.schedule, *fields)
