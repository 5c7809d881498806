"""What can be wrong with a spec, a state or a rate, and where: values and exceptions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Any, Literal

_GUESSES: ContextVar[list[None] | None] = ContextVar("guesses", default=None)
"""One item for each guess that is left; None where there is no limit."""

Path = tuple[str | int, ...]
"""Where a value stands in a document: the keys and indices that lead to it from the root."""

SHOWN = 40
"""The longest text of the input that is repeated in a message."""

MAX_LEVELS = 64
"""How deep lists and mappings may be nested in a document."""

MAX_VALUES = 100_000
"""The most values that a document may have, all levels together."""

MAX_PROBLEMS = 1000
"""After how many problems of one sort no further ones are looked for."""

MAX_GUESSES = 1000
"""How often it is guessed what was meant, in one document."""

LISTED = 20
"""The most problems that an exception's text lists."""


@dataclass(frozen=True, order=True)
class Place:
    """A stretch of one line of a file.

    Lines and columns count from 1, in characters; `end` is the column after.
    """

    file: str
    line: int
    column: int
    end: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True)
class Fix:
    """What should stand at a problem's place instead, where only one thing would do."""

    text: str
    """What is to be written."""
    in_quotes: bool = False
    """Whether it stays in quotes if it was in quotes: a name does, a number does not."""
    value: Fix | None = None
    """Of a key: what its value should be with it, if not what it is."""
    place: Place | None = None
    """Where it is to be written, if not at the problem's place; only known of a sound fix."""


@dataclass(frozen=True)
class Problem:
    """One mistake: what it is called, what was found, what would do and where it stands.

    >>> path = ("schedulers", 0, "total_steps")
    >>> print(Problem("range", "total_steps must be at least 1, found 0", path))
    schedulers[0].total_steps: error[range]: total_steps must be at least 1, found 0
    """

    code: str
    """The short name of this sort of mistake, such as ``unknown-field``."""
    message: str
    """What was found and what would do, in a sentence."""
    path: Path = ()
    """The value, or with `at_key` the key, that the problem is about."""
    at_key: bool = False
    """Whether it is the key at `path` that is wrong, and not its value."""
    hint: str = ""
    """What to do about it, where that is likely."""
    also: tuple[Path, ...] = ()
    """The other values that contradict the one at `path`."""
    place: Place | None = None
    """Where it stands in a file, when it was read from one."""
    also_places: tuple[Place, ...] = ()
    severity: Literal["error", "warning"] = "error"
    """A spec with an error is refused; a warning is of a spec that is most likely not meant."""
    fix: Fix | None = None
    """What would mend it, if there is no doubt about that."""

    def __str__(self) -> str:
        where = str(self.place) if self.place else dotted(self.path)
        start = f"{where}: " if where else ""
        end = f" ({self.hint})" if self.hint else ""
        return f"{start}{self.severity}[{self.code}]: {self.message}{end}"

    @property
    def position(self) -> tuple[int, int]:
        """Its line and column, by which problems are sorted; those without a place come first."""
        return (self.place.line, self.place.column) if self.place else (0, 0)

    def under(self, path: Path) -> Problem:
        """The same problem, seen from a document in which this one stands at `path`."""
        return replace(self, path=path + self.path, also=tuple(path + also for also in self.also))


by_position = attrgetter("position")
"""What problems are sorted by."""


class OlmError(ValueError):
    """What every error raised by olm is."""


class SpecError(OlmError):
    """A spec is not valid; `problems` says why, all of it at once."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        lines = [str(problem) for problem in self.problems[:LISTED]]
        if len(self.problems) > LISTED:
            lines.append(f"... and {len(self.problems) - LISTED} more")
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"


class StateError(OlmError):
    """A state cannot be loaded into this scheduler; nothing was changed."""


class RateError(OlmError):
    """A rate that would be used is negative or not finite; nothing was written."""


def dotted(path: Path) -> str:
    """A path as people write it.

    >>> dotted(("schedulers", 0, "total_steps"))
    'schedulers[0].total_steps'
    """
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{clipped(part)}" for part in path)
    return text.removeprefix(".")


_PART = re.compile(r'\[(\d+)\]|(?:^|\.)(?:"([^"]*)"|([^.\[\]"]+))')


def path_of(text: str) -> Path:
    """The path that people write with dots and indices; a key with a dot stands in quotes.

    >>> path_of('schedulers[0].total_steps'), path_of('runs.0."v1.2"')
    (('schedulers', 0, 'total_steps'), ('runs', '0', 'v1.2'))

    Raises:
        ValueError: it is no such text.
    """
    end, path = 0, []
    while end < len(text):
        part = _PART.match(text, end)
        if part is None:
            raise ValueError(f"a place is written like optim.schedules[0], found {clipped(text)!r}")
        index, in_quotes, key = part.groups()
        path.append(int(index) if index else key if in_quotes is None else in_quotes)
        end = part.end()
    return tuple(path)


def quantity(count: int, noun: str) -> str:
    """A count with its noun.

    >>> quantity(1, "step"), quantity(2000, "step"), quantity(0, "warning")
    ('1 step', '2,000 steps', '0 warnings')
    """
    return f"{count:,} {noun}{'s' * (count != 1)}"


def in_steps(count: int) -> str:
    """A number of steps.

    >>> in_steps(1), in_steps(2000)
    ('1 step', '2,000 steps')
    """
    return quantity(count, "step")


def listed(items: Iterable[object], last: str = "") -> str:
    """Items as prose lists them, with the word that comes before the last one, if there is one.

    >>> listed([1, 19]), listed((100000, 2.5)), listed(["a", "b", "c"], "or")
    ('1, 19', '100,000, 2.5', 'a, b or c')
    """
    texts = [f"{item:,}" if isinstance(item, int) else str(item) for item in items]
    if last and len(texts) > 1:
        return f"{', '.join(texts[:-1])} {last} {texts[-1]}"
    return ", ".join(texts)


def clipped(text: str) -> str:
    """A text that is short enough to repeat, whatever came in, on one line."""
    text = text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"
    return text if text.isprintable() else ascii(text)[1:-1]


def found(value: Any) -> str:
    """What stands there, in words.

    >>> found("1e-4"), found(None), found(True), found([1, 2])
    ("the string '1e-4'", 'nothing (null)', 'true', 'a list')
    """
    if value is None:
        return "nothing (null)"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f"the string '{clipped(value)}'"
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, Sequence):
        return "a list"
    if isinstance(value, int) and abs(value) >= 10**SHOWN:
        return "a number of more than 40 digits"
    return clipped(repr(value))


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was likely meant, if there is one."""
    near = _near(word, known, n=1, cutoff=0.7)
    return near[0] if near else None


def only_near(word: str, known: Iterable[str]) -> str | None:
    """The one known word that is nearly the same, if there is no second one like it.

    >>> only_near("total_step", ["total_steps", "decay_steps"])
    'total_steps'
    >>> only_near("stage_1", ["stage_10", "stage_11"])
    """
    near = _near(word, known, n=2, cutoff=0.85)
    return near[0] if len(near) == 1 else None


def _near(word: str, known: Iterable[str], n: int, cutoff: float) -> list[str]:
    """The known words that are most like one."""
    if (left := _GUESSES.get()) is not None:
        if not left:
            return []
        left.pop()
    from difflib import get_close_matches

    by_lower = {name.lower(): name for name in known}
    near = get_close_matches(word[: 2 * SHOWN].lower(), by_lower, n=n, cutoff=cutoff)
    return [by_lower[name] for name in near]


@contextmanager
def few_guesses() -> Iterator[None]:
    """Within it, only so many words are guessed: to guess takes long, and few are ever shown."""
    token = _GUESSES.set([None] * MAX_GUESSES)
    try:
        yield
    finally:
        _GUESSES.reset(token)
