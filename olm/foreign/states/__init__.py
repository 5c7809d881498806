"""States that other libraries' schedulers wrote, in the words of a spec. A file here is a library.

Its `READERS` read the states of its classes, one class each; a library of many classes has several
files. To add one, copy a file. What a state has is read exactly or not at all: where a number would
have to be guessed, the error names it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from olm.foreign.states._reading import Old, Reader, Seen, State, check_rates, same_fields
from olm.problem import MAX_LEVELS, MAX_VALUES, StateError


@cache
def readers() -> tuple[Reader, ...]:
    """The readers of every file in the folder, which are imported when a state is met."""
    names = [module.name for module in iter_modules(__path__) if not module.name.startswith("_")]
    files = (import_module(f"{__name__}.{name}") for name in names)
    return tuple(reader for file in files for reader in file.READERS)


def writer_of(state: State) -> str | None:
    """The class whose state this is, by its keys.

    >>> writer_of({"gamma": 0.9, "base_lrs": [0.5], "last_epoch": 3})
    "torch's ExponentialLR"
    """
    return next((reader.writer for reader in readers() if reader.knows(state)), None)


def read(state: State, seen: Seen) -> Old | None:
    """What a state says; None if it is of no class that is known.

    >>> old = read({"gamma": 0.9, "base_lrs": [0.5], "last_epoch": 3}, Seen())
    >>> old.schedule, old.last_epoch
    ({'kind': 'ExponentialLR', 'gamma': 0.9}, 3)

    Raises:
        StateError: a number would have to be guessed, or cannot be what such a state has.
    """
    reader = next((reader for reader in readers() if reader.knows(state)), None)
    if reader is None:
        return None
    if not seen.after:
        _check_size(state)
    try:
        return reader.read(state, seen)
    except StateError:
        raise
    except (
        ArithmeticError,
        AttributeError,
        LookupError,
        RuntimeError,
        TypeError,
        ValueError,
    ) as error:
        where = seen.after.removesuffix(".") or "this"
        raise StateError(f"{where} is not a state of {reader.writer}: {error!r:.80}") from None


def _check_size(state: State) -> None:
    """Reject what shares parts, or contains itself, so often that it could not be read in time.

    Raises:
        StateError: written out, the state would have more values than a document may have.
    """
    left, waiting = MAX_VALUES, [iter(state.values())]
    while waiting:
        for value in waiting[-1]:
            left -= 1
            if left < 0 or len(waiting) > MAX_LEVELS:
                raise StateError(
                    f"a state must have at most {MAX_VALUES:,} values, nested at most "
                    f"{MAX_LEVELS} deep"
                )
            if isinstance(value, Mapping):
                waiting.append(iter(value.values()))
                break
            if isinstance(value, list | tuple):
                waiting.append(iter(value))
                break
        else:
            waiting.pop()


__all__ = ["Old", "Reader", "Seen", "check_rates", "read", "readers", "same_fields", "writer_of"]
