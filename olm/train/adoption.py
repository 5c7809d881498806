"""Another trainer's checkpoint as a state, by the configuration beside it."""

from __future__ import annotations

from collections.abc import Iterator
from os import PathLike
from pathlib import Path as FilePath
from typing import Any

from olm.foreign.beside import file_beside
from olm.foreign.checkpoints import Found, UnsaidSchedule, files_of, spec_of, states_of
from olm.foreign.continued import continued
from olm.problem import StateError
from olm.spec.spec import Spec
from olm.train.checkpoints import load, load_plain


def adopt(
    checkpoint: str | PathLike[str],
    *,
    config: str | PathLike[str] | None = None,
    **options: Any,
) -> Spec:
    """The state of another trainer's run, with which `olm.build` continues it.

    A state of a scheduler that describes its schedule needs nothing else. If the schedule is code,
    it is that of the configuration beside the checkpoint, such as transformers'
    ``training_args.bin``, timm's ``args.yaml`` or mmengine's ``config.py``. No code in the
    checkpoint or in the configuration is run.

    Args:
        checkpoint: a file, or a folder such as ``run/checkpoint-500``.
        config: the configuration, if it is elsewhere.
        options: what the configuration does not say, such as ``total_steps``; see
            `olm.import_config`.

    Raises:
        OSError: a file cannot be read.
        SpecError: the configuration cannot be said exactly; each problem has its key and its place.
        StateError: the checkpoint has no step or several schedulers, or does not agree with the
            configuration.
    """
    path = FilePath(checkpoint)
    named = None if config is None else FilePath(config)
    found = [(value, state) for value in _values(path, named) for state in _states(value)]
    if len(found) != 1:
        what = "several states of schedulers" if found else "no state of a scheduler"
        raise StateError(f"there are {what} in {path}")
    [(value, state)] = found
    if state is not None:
        try:
            return spec_of(state)
        except UnsaidSchedule:
            pass
    return continued(path, value, state, named, options).state


def values_beside(path: FilePath, config: FilePath | None) -> Any:
    """The values of a file that torch saved, which has a configuration beside it.

    Trainers save objects with their states, which are left out.

    Raises:
        StateError: there is code in the file, and no configuration beside it.
    """
    try:
        return load(path)
    except StateError as error:
        try:
            if config is None:
                file_beside(path)
            return load_plain(path)
        except StateError:
            raise error from None


def _values(path: FilePath, config: FilePath | None) -> Iterator[Any]:
    """The values in each file of a checkpoint."""
    files = files_of(path) if path.is_dir() else [path]
    if not files:
        raise StateError(f"there is no scheduler's file in {path}")
    for file in files:
        yield values_beside(file, config)


def _states(value: Any) -> list[Found] | list[None]:
    """The states of schedulers in a checkpoint, else what its trainer counts."""
    return states_of(value) or [None]
