"""Composer's times, such as 100ba, 3ep, 2e9tok and 0.1dur, in steps, samples or tokens."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import Any

from olm.fields.durations import exact
from olm.foreign.configs._config import Config
from olm.foreign.configs._documents import count
from olm.problem import Path, dotted, found

_TIME = re.compile(r"\s*([-+\d._eE]+?)\s*(ep|ba|sp|tok|dur)\s*", re.IGNORECASE)

AXES = {"sp": "samples", "tok": "tokens"}


@dataclass(frozen=True)
class Times:
    """How a run counts: its length, its unit, and the clock."""

    config: Config
    run: int | str
    """The length in steps, samples or tokens; in epochs if their steps are not known."""
    unit: str
    """The unit of ``max_duration``."""
    amount: int
    """The number in ``max_duration``."""
    per_epoch: int | None
    clock: dict[str, Any]

    @property
    def axis(self) -> str:
        """What the schedule counts, if it does not count steps."""
        return AXES.get(self.unit, "")

    @classmethod
    def of(cls, config: Config, where: Path) -> Times:
        """The run of a configuration.

        Raises:
            Refusal: ``max_duration`` is missing, or is no duration.
        """
        amount, unit = _parsed(config, *where, "max_duration")
        if unit in AXES:
            return cls(config, amount, unit, amount, None, _clock(config, where, amount, unit))
        total, per_epoch = config.option("total_steps"), _per_epoch(config, where)
        samples = config.whole(*where, "global_train_batch_size", default=None)
        clock: dict[str, Any] = {} if samples is None else {"samples_per_step": samples}
        if unit == "ba":
            clock |= {"total_steps": amount}
            clock |= {"steps_per_epoch": per_epoch} if per_epoch else {}
            return cls(config, amount, unit, amount, per_epoch, clock)
        if per_epoch is None and total is not None:
            per_epoch = ceil(Fraction(total, amount))
        if per_epoch is None:
            return cls(config, f"{amount}ep", unit, amount, None, clock)
        steps = amount * per_epoch
        clock |= {"total_steps": steps, "steps_per_epoch": per_epoch}
        return cls(config, steps, unit, amount, per_epoch, clock)

    def converted(self, *path: str | int, default: str = "", like_run: bool = False) -> int | str:
        """A time in what the run counts, as a product of floats that is cut off.

        Args:
            path: where it is.
            default: the time if it is missing.
            like_run: whether it must have the unit of the run.

        Raises:
            Refusal: it cannot be converted to that.
        """
        amount, unit = _parsed(self.config, *path, default=default)
        if unit == "dur" and not like_run:
            return self._share(amount)
        steps = ("ba", "ep")
        if unit != self.unit and (like_run or not (unit in steps and self.unit in steps)):
            text = f"`{dotted(path)}` must be in {self.unit}, as max_duration is"
            raise self.config.refusal("type", text, path)
        if unit != "ep":
            return int(amount)
        return f"{amount}ep" if self.per_epoch is None else int(amount) * self.per_epoch

    def _share(self, share: float) -> int | str:
        if self.unit != "ep":
            return int(share * self.amount)
        if self.per_epoch is not None:
            return int(share * self.per_epoch * self.amount)
        if share == 1:
            return self.run
        return f"{float(exact(share) * 100):.12g}%"

    def counted(self, time: int | str) -> int:
        """A time as a number.

        Raises:
            Refusal: the steps of an epoch are not known.
        """
        if isinstance(time, str):
            self.config.need("steps_per_epoch", "the batches of an epoch", "max_duration")
        return int(time)

    def check_end(self, end: int | str, *path: str | int) -> None:
        """Refuse a schedule that is shorter than the run, as Composer does."""
        if isinstance(end, int) and isinstance(self.run, int) and end < self.run:
            text = f"Composer refuses a schedule of {end:,} for a run of {self.run:,}"
            raise self.config.refusal("unsupported-key", text, path)


def _parsed(config: Config, *path: str | int, default: str = "") -> tuple[Any, str]:
    """The number and the unit of a time; a number alone counts epochs."""
    value = config.get(*path, default=default) if default else config.get(*path)
    if isinstance(value, int) and not isinstance(value, bool):
        return value, "ep"
    match = _TIME.fullmatch(value) if isinstance(value, str) else None
    try:
        number = float(match[1]) if match else None
    except ValueError:
        number = None
    if match is None or number is None or number < 0:
        text = f"`{dotted(path)}` must be a time such as 100ba or 0.1dur, found {found(value)}"
        raise config.refusal("type", text, path)
    unit = match[2].lower()
    if unit == "dur":
        return number, unit
    if number != int(number):
        text = f"`{dotted(path)}` must be a whole number of {unit}, found {found(value)}"
        raise config.refusal("type", text, path)
    return int(number), unit


def _per_epoch(config: Config, where: Path) -> int | None:
    """The batches of an epoch, as the file or the user limits or specifies them."""
    if config.has(*where, "train_subset_num_batches"):
        limit: int = config.whole(*where, "train_subset_num_batches")
        if limit > 0:
            return limit
    given = config.option("steps_per_epoch")
    return None if given is None else int(given)


def _clock(config: Config, where: Path, amount: int, unit: str) -> dict[str, Any]:
    """The clock of a run in samples or tokens, whose last batch may go beyond its end."""
    needed = ["global_train_batch_size", *(["max_seq_len"] if unit == "tok" else [])]
    if not all(config.has(*where, key) for key in needed):
        return {"total_steps": f"{amount}{unit}", "rounding": "up"}
    samples = count(config, *where, "global_train_batch_size")
    length = count(config, *where, "max_seq_len") if unit == "tok" else 1
    if unit == "tok":
        config.note("a batch is taken to have max_seq_len tokens per sample, without padding")
    per_step = {"samples_per_step": samples}
    per_step |= {"tokens_per_step": samples * length} if unit == "tok" else {}
    return {"total_steps": ceil(Fraction(amount, samples * length)), **per_step}
