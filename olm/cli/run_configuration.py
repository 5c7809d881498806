"""The state in a checkpoint whose schedule is in a configuration: what ``olm state`` adds to it."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from olm.cli.files.search import STDIN
from olm.problem import StateError, listed

if TYPE_CHECKING:
    from olm.foreign.checkpoints import Found
    from olm.foreign.continued import Continued
    from olm.schedule.clock import Clock


def options_of(clock: Clock | None) -> dict[str, Any]:
    """The options of an import that a clock has, by the names that an import has for them."""
    if clock is None:
        return {}
    return {
        "total_steps": clock.total_steps,
        "steps_per_epoch": clock.steps_per_epoch,
        "dataset_size": clock.samples_per_epoch,
    }


def continued_from(
    args: Namespace, clock: Clock | None, value: Any, found: Found | None
) -> Continued:
    """A state with the schedule of the run's configuration.

    Raises:
        OSError: the configuration cannot be read.
        SpecError: it cannot be said exactly.
        StateError: there is none, or it does not agree with the checkpoint.
    """
    from olm.foreign.continued import continued

    return continued(Path(args.file), value, found, args.config, options_of(clock))


def has_configuration(args: Namespace) -> bool:
    """Whether a configuration is named, or beside the checkpoint."""
    from olm.foreign.beside import file_beside

    if args.config is not None:
        return True
    try:
        return args.file != STDIN and file_beside(Path(args.file)) is not None
    except StateError:
        return False


def nothing_beside() -> str:
    """That a checkpoint has no configuration beside it, and which names one would have."""
    from olm.foreign.beside import LOOKED_FOR

    names = listed(LOOKED_FOR, "or")
    return f"there is no configuration beside it ({names}): give --spec or --config"
