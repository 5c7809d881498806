"""A configuration as a translator sees it: its keys, each of which it takes, notes or refuses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from math import isfinite
from typing import TYPE_CHECKING, Any

from olm.foreign.configs._source import Source
from olm.problem import Path, Problem, SpecError, dotted, found, listed, nearest
from olm.text.scalars import plain

if TYPE_CHECKING:
    from olm.foreign.configs._groups import Group

MOST_PARTS = 10_000
"""The most parts, such as cycles or drops, of a schedule that is translated."""

MIDDLE = "starts in the middle of the schedule, which is not translated"

OF_REFERENCES = frozenset({"yaml", "toml"})
"""The syntaxes in which ``${...}`` is a reference."""

_FUNCTION = re.compile(r"\$\{\s*([\w.]+):")

CALL = "()"
"""The key under which the readers of Python have the name of a function that is called."""

REQUIRED: Any = object()
"""The default of a key that must be there."""


@dataclass(frozen=True)
class Given:
    """What a user says besides the file: the options of ``olm import``."""

    total_steps: int | None = None
    warmup_steps: int | None = None
    steps_per_epoch: float | None = None
    dataset_size: int | None = None
    world_size: int | None = None
    learning_rate: float | None = None
    interval: str | None = None
    nearest: bool = False

    @property
    def known(self) -> dict[str, Any]:
        """The options that were given."""
        values = ((each.name, getattr(self, each.name)) for each in fields(self))
        return {name: value for name, value in values if value not in (None, False)}


OPTIONS = {each.name: f"--{each.name.replace('_', '-')}" for each in fields(Given)}
"""The options, by the names of the fields."""


class Refusal(SpecError):
    """A configuration that cannot be said exactly; the problem has the key and the reason."""


@dataclass
class Config:
    """A configuration, and what its translator has taken from it.

    A translator asks for every key that matters by `get` or `number`, which note where it is or
    that its default counted. Afterwards `unknown` reports the keys that nobody asked for.
    """

    source: Source
    given: Given
    root: Path = ()
    """Where in the file the configuration is."""
    taken: dict[Path, Any] = field(default_factory=dict)
    """The keys that the translation uses, with their values."""
    asked: set[Path] = field(default_factory=set)
    """The keys without a value that the translation asked for."""
    defaults: dict[str, Any] = field(default_factory=dict)
    """The defaults of the framework that counted."""
    used: dict[str, Any] = field(default_factory=dict)
    """The options of the user that counted."""
    notes: list[str] = field(default_factory=list)
    """What of the file is not in the spec, in sentences."""

    def has(self, *path: str | int) -> bool:
        """Whether there is a value at a path; null is none."""
        value = self.peek(*path)
        if value is None:
            self.asked.add((*self.root, *path))
        return value is not None

    def is_null(self, *path: str | int) -> bool:
        """Whether null is written at a path, which some frameworks distinguish from no key."""
        return self.source.has(*self.root, *path) and self.peek(*path) is None

    def peek(self, *path: str | int, default: Any = None) -> Any:
        """The value at a path, without taking it."""
        value: Any = self.source.value
        for part in (*self.root, *path):
            try:
                value = value[part]
            except (KeyError, IndexError, TypeError):
                return default
        return value

    def get(self, *path: str | int, default: Any = REQUIRED) -> Any:
        """The value at a path, which is taken; the default if it is missing or null.

        Raises:
            Refusal: there is neither.
        """
        value = self.peek(*path)
        if value is None:
            self.asked.add((*self.root, *path))
            if default is REQUIRED:
                raise self.refusal("needs-key", f"the key `{dotted(path)}` is missing", path[:-1])
            if path and default is not None:
                self.defaults[dotted(path)] = default
            return default
        self.taken[(*self.root, *path)] = value
        return self._constant(value, path)

    def _constant(self, value: Any, path: Path) -> Any:
        """A value, if nothing in it would have to be run or looked up elsewhere."""
        from olm.foreign.configs._code import Code, refuse

        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, str) and "${" in item and self.source.form in OF_REFERENCES:
                raise self._reference(item, path)
        parts = [value]
        while parts:
            part = parts.pop()
            if isinstance(part, Code):
                refuse(part)
            if isinstance(part, dict | list):
                parts += part.values() if isinstance(part, dict) else part
        return value

    def number(self, *path: str | int, default: Any = REQUIRED) -> Any:
        """The number at a path, also one that is written as a string; None only as the default.

        Raises:
            Refusal: it is none.
        """
        value = self.get(*path, default=default)
        if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
            if isinstance(value, float) and not isfinite(value):
                text = f"`{dotted(path)}` must be a finite number, found {value}"
                raise self.refusal("type", text, path)
            return value
        if isinstance(value, str):
            try:
                number = plain(value.strip().replace("_", "") or "null")
            except ValueError:
                number = None
            if isinstance(number, int | float) and not isinstance(number, bool):
                return number
            if value == "auto":
                text = f'`{dotted(path)}` is "auto": the trainer fills it in'
                raise self.refusal("auto-value", text, path)
        raise self.refusal("type", f"`{dotted(path)}` must be a number, found {found(value)}", path)

    def _reference(self, value: str, path: Path) -> Refusal:
        """The refusal of a reference to what the file does not have."""
        code, why = "unset-variable", "refers to a key that the file does not have"
        if name := _FUNCTION.search(value):
            is_variable = name[1] in ("oc.env", "env")
            code = "unset-variable" if is_variable else "needs-code"
            why = (
                "is a variable of the environment"
                if is_variable
                else f"calls {name[1]} when the program runs"
            )
        text = f"`{dotted(path)}` is {found(value)}, which {why}"
        return self.refusal(code, text, path, hint="write the value in its place")

    def whole(self, *path: str | int, default: Any = REQUIRED) -> Any:
        """The whole number at a path, also an integral float.

        Raises:
            Refusal: it is none.
        """
        number = self.number(*path, default=default)
        if number is None or (isfinite(number) and number == int(number)):
            return None if number is None else int(number)
        raise self.refusal("type", f"`{dotted(path)}` must be a whole number, found {number}", path)

    def text(self, *path: str | int, default: Any = REQUIRED) -> Any:
        """The string at a path.

        Raises:
            Refusal: it is none.
        """
        value = self.get(*path, default=default)
        if value is None or isinstance(value, str):
            return value
        raise self.refusal("type", f"`{dotted(path)}` must be a string, found {found(value)}", path)

    def flag(self, *path: str | int, default: bool = False) -> bool:
        """The boolean at a path, also as a word or a number.

        Raises:
            Refusal: it is none.
        """
        value = self.peek(*path)
        if value is None:
            self.asked.add((*self.root, *path))
            return default
        self.taken[(*self.root, *path)] = value
        words = {"true": True, "yes": True, "on": True, "1": True}
        words |= {"false": False, "no": False, "off": False, "0": False}
        if isinstance(value, bool | int):
            return bool(value)
        if isinstance(value, str) and value.lower() in words:
            return words[value.lower()]
        raise self.refusal(
            "type", f"`{dotted(path)}` must be true or false, found {found(value)}", path
        )

    def option(self, name: str) -> Any:
        """An option of the user, which is noted if it was given; else None."""
        value = getattr(self.given, name)
        if value is not None:
            self.used[name] = value
        return value

    def need(self, name: str, why: str, *path: str | int) -> Any:
        """An option of the user that the translation cannot do without.

        Args:
            name: the option.
            why: what the file does not say, such as ``the length of the run``.
            path: the key that the refusal points to.

        Raises:
            Refusal: it was not given.
        """
        value = self.option(name)
        if value is None:
            text = f"the file does not specify {why}"
            raise self.refusal("needs-length", text, path, hint=f"give {OPTIONS[name]} N")
        return value

    def check_few(self, count: float, *path: str | int) -> None:
        """Refuse a schedule of more parts than anybody trains with, which would take long to read.

        Raises:
            Refusal: there are too many.
        """
        if count > MOST_PARTS:
            text = f"`{dotted(path)}` makes more than {MOST_PARTS:,} parts of the schedule"
            raise self.refusal("unsupported-key", text, path)

    def check_default(self, default: float, why: str, *path: str | int) -> None:
        """Refuse a key whose value is not its default, such as the step that a run starts at.

        Raises:
            Refusal: it has another value.
        """
        if self.number(*path, default=None) not in (None, default):
            raise self.refusal("unsupported-key", f"`{dotted(path)}` {why}", path)

    def note(self, sentence: str) -> None:
        """Tell what of the file is not in the spec."""
        self.notes.append(sentence)

    def refusal(self, code: str, message: str, path: Path = (), hint: str = "") -> Refusal:
        """The refusal of the configuration, at a key, to be raised."""
        full = (*self.root, *path)
        place = self.source.place_of(full, bool(path) and code != "type")
        return Refusal([Problem(code, message, full, hint=hint, place=place)])

    def check_keys(self, keys: Keys, *path: str | int, allowed: Iterable[str] = ()) -> None:
        """Refuse the keys of a mapping that are neither translated nor harmless.

        Args:
            keys: what is known of the keys of the framework.
            path: where the mapping is.
            allowed: further keys that are harmless here.

        Raises:
            Refusal: with every key that is unknown, or that changes the schedule in a way that is
                not translated.
        """
        mapping = self.peek(*path)
        if not isinstance(mapping, Mapping):
            return
        harmless, problems = {*keys.harmless, *allowed}, list[Problem]()
        if CALL in mapping and CALL not in harmless | keys.translated:
            text = f"`{mapping[CALL]}(...)` would have to be run, and nothing in a file is run"
            raise self.refusal("needs-code", text, path)
        for key in mapping:
            full = (*self.root, *path, key)
            taken = any(each[: len(full)] == full for each in self.taken)
            if taken or full in self.asked:
                continue
            name = str(key)
            if name in harmless or name in keys.translated:
                continue
            place = self.source.place_of(full, True)
            if name in keys.refused:
                if mapping[key] in (None, False):
                    continue
                text = f"`{name}` {keys.refused[name]}"
                problems.append(Problem("unsupported-key", text, full, place=place))
                continue
            meant = nearest(name, [*keys.translated, *harmless])
            hint = f"did you mean `{meant}`?" if meant else ""
            text = f"`{name}` is not known of {keys.of}, and may change the schedule"
            problems.append(Problem("unknown-key", text, full, hint=hint, place=place))
        if problems:
            raise Refusal(problems)


@dataclass(frozen=True)
class Keys:
    """What is known of the keys of a framework's configuration."""

    of: str
    """Whose keys they are, such as ``transformers 5.14``."""
    translated: frozenset[str]
    """The keys that a translation uses."""
    harmless: frozenset[str] = frozenset()
    """The keys that change no number that is scheduled."""
    refused: Mapping[str, str] = field(default_factory=dict)
    """The keys that change it in a way that is not translated → what they do."""


@dataclass
class Translation:
    """What a configuration is as a spec."""

    schedule: dict[str, Any]
    """The schedule, as a document."""
    lr: float | None = None
    """The base rate."""
    optimizer: dict[str, float] = field(default_factory=dict)
    """The other numbers of the optimizer."""
    clock: dict[str, Any] = field(default_factory=dict)
    rounding: str = "nearest"
    also: list[dict[str, Any]] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)


def names(*lines: str) -> frozenset[str]:
    """The words of some lines, for lists of keys.

    >>> sorted(names("a b", "c"))
    ['a', 'b', 'c']
    """
    return frozenset(word for line in lines for word in line.split())


def one_of(
    config: Config, choices: Iterable[str], *path: str | int, default: Any = REQUIRED
) -> str:
    """The string at a path, if it is one of some choices.

    Raises:
        Refusal: it is another one.
    """
    value: str = config.text(*path, default=default)
    known = list(choices)
    if value in known:
        return value
    meant = nearest(value, known)
    hint = f"did you mean `{meant}`?" if meant else f"known are {listed(known, 'and')}"
    raise config.refusal(
        "unknown-scheduler", f"`{dotted(path)}` is {found(value)}", path, hint=hint
    )
