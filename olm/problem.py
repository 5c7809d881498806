"""Problems of specs, states and rates as values with places, and the exceptions that carry them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextvars import ContextVar
from operator import attrgetter
from typing import Any, Literal, NamedTuple, TypeVar

_GUESSES: ContextVar[list[int] | None] = ContextVar("guesses", default=None)
"""How many guesses are left, in a list of one item; None without a limit."""

Given = TypeVar("Given")
Made = TypeVar("Made")

Path = tuple[str | int, ...]
"""Where a value is in a document: the keys and indices that lead to it from the root."""

SHOWN = 40
"""The longest part of the input that a message repeats."""

MAX_LEVELS = 64
"""How deeply lists and mappings may be nested in a document."""

MAX_VALUES = 100_000
"""The most values that a document may have, over all levels."""

MAX_PROBLEMS = 1000
"""The most problems of one sort that are reported for a document."""

MAX_GUESSES = 1000
"""The most suggestions that are computed for one document."""

LISTED = 20
"""The most problems that the text of an exception lists."""


class Place(NamedTuple):
    """A part of one line of a file.

    Lines and columns count from 1, in characters; `end` is the column after.
    """

    file: str
    line: int
    column: int
    end: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Fix(NamedTuple):
    """The text to write at the place of a problem, if there is only one possible fix."""

    text: str
    """The text to write."""
    in_quotes: bool = False
    """Whether the text keeps the quotes that the old one has: a name does, a number does not."""
    value: Fix | None = None
    """For a key: the fix of its value, if that must change as well."""
    place: Place | None = None
    """Where to write the text, if not at the place of the problem; only known for a sound fix."""


class Problem(NamedTuple):
    """An error or a warning: its code, what was found, what would be valid, and where it is.

    >>> path = ("schedulers", 0, "total_steps")
    >>> print(Problem("range", "total_steps must be at least 1, found 0", path))
    schedulers[0].total_steps: error[range]: total_steps must be at least 1, found 0
    """

    code: str
    """The short name of this sort of problem, such as ``unknown-field``."""
    message: str
    """What was found and what would be valid, in a sentence."""
    path: Path = ()
    """The value, or with `at_key` the key, that the problem is about."""
    at_key: bool = False
    """Whether the problem is the key at `path`, not its value."""
    hint: str = ""
    """A suggestion, if there is a likely one."""
    also: tuple[Path, ...] = ()
    """The other values that contradict the one at `path`."""
    place: Place | None = None
    """Where the problem is in a file, if it was read from one."""
    also_places: tuple[Place, ...] = ()
    severity: Literal["error", "warning"] = "error"
    """A spec with an error is rejected; a warning is about a spec that is valid but suspicious."""
    fix: Fix | None = None
    """The fix, if there is only one possible."""

    def __str__(self) -> str:
        where = str(self.place) if self.place else dotted(self.path)
        start = f"{where}: " if where else ""
        end = f" ({self.hint})" if self.hint else ""
        return f"{start}{self.severity}[{self.code}]: {self.message}{end}"

    @property
    def position(self) -> tuple[int, int]:
        """The line and column, by which problems are sorted; those without a place come first."""
        return (self.place.line, self.place.column) if self.place else (0, 0)

    def under(self, path: Path) -> Problem:
        """The same problem for a document that contains this one at `path`."""
        also = tuple(path + other for other in self.also)
        return self._replace(path=path + self.path, also=also)


by_position = attrgetter("position")
"""What problems are sorted by."""


class OlmError(ValueError):
    """The base class of the errors that olm raises."""


class SpecError(OlmError):
    """A spec is invalid; `problems` lists all errors."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        lines = [str(problem) for problem in self.problems[:LISTED]]
        if len(self.problems) > LISTED:
            lines.append(f"... and {len(self.problems) - LISTED:,} more")
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"


class ArgumentError(SpecError, TypeError):
    """The arguments of a constructor are unknown or missing: for Python, a TypeError too."""


class StateError(OlmError):
    """A state cannot be loaded into this scheduler; nothing has changed."""


class RateError(OlmError):
    """A rate that would be used is negative or not finite; nothing has been written."""


def dotted(path: Path) -> str:
    """A path with dots and indices.

    >>> dotted(("schedulers", 0, "total_steps"))
    'schedulers[0].total_steps'
    """
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{clipped(part)}" for part in path)
    return text.removeprefix(".")


_PART = re.compile(r'\[(\d+)\]|(?:^|\.)(?:"([^"]*)"|([^.\[\]"]+))')


def path_of(text: str) -> Path:
    """The path of a text with dots and indices; a key that contains a dot is in quotes.

    >>> path_of('schedulers[0].total_steps'), path_of('runs.0."v1.2"')
    (('schedulers', 0, 'total_steps'), ('runs', '0', 'v1.2'))

    Raises:
        ValueError: the text is not a path.
    """
    end, path = 0, []
    while end < len(text):
        part = _PART.match(text, end)
        if part is None:
            raise ValueError(
                f"expected a place such as optim.schedules[0], found {clipped(text)!r}"
            )
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


def listed(items: Iterable[object], last: str = "") -> str:
    """Items as prose lists them, with the word that comes before the last one, if there is one.

    >>> listed([1, 19]), listed((100000, 2.5)), listed(["a", "b", "c"], "or")
    ('1, 19', '100,000, 2.5', 'a, b or c')
    """
    texts = [f"{item:,}" if isinstance(item, int) else str(item) for item in items]
    if last and len(texts) > 1:
        return f"{', '.join(texts[:-1])} {last} {texts[-1]}"
    return ", ".join(texts)


def distinct(first: Iterable[float], second: Iterable[float]) -> tuple[list[str], list[str]]:
    """Two lists of numbers, with six digits or, where the lists would look equal, with all.

    >>> distinct([0.1, 0.25], [0.2]), distinct([0.1], [0.1000000001])
    ((['0.1', '0.25'], ['0.2']), (['0.1'], ['0.1000000001']))
    """
    lists = [*first], [*second]
    short = [[f"{number:.6g}" for number in numbers] for numbers in lists]
    texts = [[*map(repr, numbers)] for numbers in lists] if short[0] == short[1] else short
    return texts[0], texts[1]


def clipped(text: str) -> str:
    """A text cut to a length that a message can repeat, on one line."""
    text = text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"
    return text if text.isprintable() else ascii(text)[1:-1]


def found(value: Any) -> str:
    """A value in words, for "found ...".

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
        return f"a number of more than {SHOWN} digits"
    return clipped(repr(value))


def nearest(word: str, known: Iterable[str], cutoff: float = 0.7) -> str | None:
    """The known word that was probably meant, if one is as similar as `cutoff`."""
    near = _near(word, known, n=1, cutoff=cutoff)
    return near[0] if near else None


def only_near(word: str, known: Iterable[str]) -> str | None:
    """The only known word that is almost the same; None if there are several.

    >>> only_near("total_step", ["total_steps", "decay_steps"])
    'total_steps'
    >>> only_near("stage_1", ["stage_10", "stage_11"])
    """
    near = _near(word, known, n=2, cutoff=0.85)
    return near[0] if len(near) == 1 else None


def _near(word: str, known: Iterable[str], n: int, cutoff: float) -> list[str]:
    """The known words that are most similar to a word."""
    if (left := _GUESSES.get()) is not None:
        if left[0] == 0:
            return []
        left[0] -= 1
    from difflib import get_close_matches

    by_lower = {name.lower(): name for name in known}
    near = get_close_matches(word[: 2 * SHOWN].lower(), by_lower, n=n, cutoff=cutoff)
    return [by_lower[name] for name in near]


def similarity(word: str, name: str) -> float:
    """How similar two words are, from 0 to 1, as for `nearest`."""
    from difflib import SequenceMatcher

    return SequenceMatcher(None, name.lower(), word[: 2 * SHOWN].lower()).ratio()


def with_few_guesses(call: Callable[[Given], Made], given: Given) -> Made:
    """What a call returns that makes few suggestions: they are slow, and few are ever printed."""
    token = _GUESSES.set([MAX_GUESSES])
    try:
        return call(given)
    finally:
        _GUESSES.reset(token)
