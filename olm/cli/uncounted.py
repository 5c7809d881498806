"""Durations that no clock counts: what each needs, and which option says it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from olm.cli.clock_options import option
from olm.problem import SpecError, dotted
from olm.spec.load import parse_document

if TYPE_CHECKING:
    from olm.checking.check import Checked
    from olm.fields.durations import Duration
    from olm.problem import Path
    from olm.schedule.clock import Clock
    from olm.schedule.schedule import Schedule


@dataclass(frozen=True)
class Uncounted:
    """A schedule, as it is written, with the durations for which a clock knows too little."""

    schedule: Schedule
    durations: list[tuple[Path, Duration]]

    def message(self, command: str) -> Iterator[str]:
        """What is said of it, in lines."""
        size = len(self.durations)
        these = "this duration" if size == 1 else f"these {size:,} durations"
        yield f"{command}: it takes a clock that knows more to count {these}"
        for path, one in self.durations:
            yield f"  {dotted(path)}: {one} needs {one.needs} ({option(one.needs)} N)"
        needs = dict.fromkeys(one.needs for _, one in self.durations)
        said = ", ".join(f"{field}: ..." for field in needs)
        yield f"the options say it, or `clock: {{{said}}}` at the root of the file"


def uncounted(result: Checked, clock: Clock | None) -> Uncounted | None:
    """What waits for a clock in a file; None if nothing does, or if something else is wrong, too.

    Args:
        result: the file, which was checked.
        clock: what the run is, besides what the file says.
    """
    errors = {problem.code for problem in result.problems if problem.severity == "error"}
    if result.counted is not None or not errors <= {"clock"}:
        return None
    # A spec whose clock knows too little is none for a check.
    spec = result.spec or parse_document(result.document)
    try:
        spec.plan(clock)
    except SpecError as error:
        missing = {problem.path for problem in error.problems}
    else:
        return None
    durations = [(path, one) for path, one in spec.schedule.durations() if path in missing]
    return Uncounted(spec.schedule, durations)
