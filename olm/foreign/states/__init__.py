"""States that other libraries' schedulers wrote, a file for each, in the words of a spec.

What they say is read exactly or not at all: where a number would have to be guessed, the error
names it.
"""

from __future__ import annotations

from olm.foreign.states import openlanguagemodel, timm, torch, transformers
from olm.foreign.states.reading import Old, Seen, State, check_rates
from olm.problem import StateError

READERS = [
    *torch.READERS,
    *openlanguagemodel.READERS,
    *transformers.READERS,
    *timm.READERS,
]
"""For each class whose states are known, the one who reads them."""


def writer_of(state: State) -> str | None:
    """The class whose state this is, by its keys.

    >>> writer_of({"gamma": 0.9, "base_lrs": [0.5], "last_epoch": 3})
    "torch's ExponentialLR"
    """
    return next((reader.writer for reader in READERS if reader.knows(state)), None)


def read(state: State, seen: Seen) -> Old | None:
    """What a state says; None if it is of no class that is known.

    >>> old = read({"gamma": 0.9, "base_lrs": [0.5], "last_epoch": 3}, Seen())
    >>> old.schedule, old.last_epoch
    ({'kind': 'ExponentialLR', 'gamma': 0.9}, 3)

    Raises:
        StateError: a number would have to be guessed, or cannot be what such a state has.
    """
    reader = next((reader for reader in READERS if reader.knows(state)), None)
    if reader is None:
        return None
    try:
        return reader.read(state, seen)
    except StateError:
        raise
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        where = seen.after.removesuffix(".") or "this"
        raise StateError(f"{where} is not a state of {reader.writer}: {error!r:.80}") from None


__all__ = ["Old", "Seen", "check_rates", "read", "writer_of"]
