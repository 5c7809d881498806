"""Numbers of epochs as durations: in steps if an epoch is known, else in epochs."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from olm.fields.durations import EPOCH, STEP, exact
from olm.foreign.configs._config import Config


@dataclass(frozen=True)
class Epochs:
    """How long an epoch is."""

    steps: int | None
    """The optimizer steps of an epoch, if they are known."""

    def span(self, epochs: float | Fraction, less: int = 0) -> int | str:
        """Some epochs as a duration, less a number of steps.

        >>> Epochs(80).span(4), Epochs(None).span(4), Epochs(None).span(2, less=1)
        (320, '4ep', '2ep-1st')
        """
        amount = epochs if isinstance(epochs, Fraction) else exact(epochs)
        if self.steps is not None:
            return int(amount * self.steps) - less
        number = int(amount) if amount.denominator == 1 else float(amount)
        return f"{number}{EPOCH.suffix}-{less}{STEP.suffix}" if less else f"{number}{EPOCH.suffix}"

    def is_whole(self, epochs: float) -> bool:
        """Whether some epochs are whole steps, as far as it is known."""
        return (exact(epochs) * (self.steps or 1)).denominator == 1


def epochs_of(config: Config, counted: int | None = None) -> Epochs:
    """The steps of an epoch, by an option of the user or as counted from the file.

    Raises:
        Refusal: they are not whole.
    """
    given = config.option("steps_per_epoch")
    if given is None:
        return Epochs(counted)
    if given != int(given):
        text = f"an epoch must have whole steps here, and {given} were given"
        raise config.refusal("type", text, hint="give --steps-per-epoch N")
    return Epochs(int(given))
