"""The text of a configuration as plain values, with their places. Nothing in it is run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path as FilePath
from stat import S_ISDIR, S_ISFIFO, S_ISREG
from typing import Any

from olm.problem import Path, Place, Problem, SpecError
from olm.text.source import MAX_BYTES, Text, clean

FORMS = {
    ".yaml": "yaml",
    ".yml": "yaml",
    ".json": "yaml",
    ".toml": "yaml",
    ".py": "python",
    ".sh": "shell",
    ".bash": "shell",
    ".slurm": "shell",
    ".cfg": "ini",
    ".ini": "ini",
    ".gin": "gin",
    ".ipynb": "notebook",
    ".md": "markdown",
    ".bin": "pickle",
}
"""The syntax of a file by the end of its name; of others it is tried out."""

PIPES = ("/dev/fd/", "/dev/stdin", "/proc/self/fd/")
"""Where the pipes of a shell are, such as those of ``<(...)``."""

TRIED = ("yaml", "shell")
"""The syntaxes that are tried for a file with another name."""


@dataclass
class Source:
    """A configuration file that was read."""

    text: Text
    form: str
    """The syntax, such as ``yaml`` or ``shell``."""
    value: Any
    """The plain values: mappings, lists, strings, numbers, booleans and None."""
    place_of: Callable[[Path, bool], Place]
    """The place of the value at a path, or of its key."""
    raw: Mapping[Path, str] = field(default_factory=dict)
    """The texts of plain scalars that YAML 1.1 and 1.2 read differently."""

    @property
    def file(self) -> str:
        """The name of the file."""
        return self.text.file

    def has(self, *path: str | int) -> bool:
        """Whether there is a value at a path.

        >>> Source(Text("a", ""), "yaml", {"a": [None]}, lambda *_: Place("a", 1, 1, 1)).has("a", 0)
        True
        """
        value: Any = self.value
        for part in path:
            try:
                value = value[part]
            except (LookupError, TypeError):
                return False
        return True

    def mentions(self, word: str) -> bool:
        """Whether a word is a key or the beginning of a string, at any depth."""
        return any(text.startswith(word) for text in _texts(self.value))


def _texts(value: Any) -> Any:
    """The keys and strings of a value, at any depth."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield str(key)
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, str):
        yield value


def read_source(path: str | FilePath) -> Source:
    """The configuration in a file.

    Raises:
        OSError: the file cannot be read.
        SpecError: the text is invalid, or has what only running it could tell.
    """
    return source_of(data_of(FilePath(path)), str(path))


def data_of(file: FilePath) -> bytes:
    """The beginning of a file: what is read of it, and a byte more if it is too long.

    Raises:
        OSError: the file cannot be read.
        SpecError: it is a device, or a pipe that the shell has not made, which may have no end.
    """
    mode = file.stat().st_mode
    is_piped = S_ISFIFO(mode) and str(file).startswith(PIPES)
    if not (S_ISREG(mode) or S_ISDIR(mode) or is_piped):
        text = "this is a pipe or a device, and not a file"
        raise SpecError([Problem("unreadable", text, place=Place(str(file), 1, 1, 1))])
    with file.open("rb") as opened:
        return opened.read(MAX_BYTES + 1)


def source_of(data: str | bytes, name: str) -> Source:
    """The configuration in a text, whose syntax follows from the end of a name.

    Raises:
        SpecError: the text is invalid, or has what only running it could tell.
    """
    form = FORMS.get(FilePath(name).suffix.lower())
    if form is not None:
        return reader(form)(data, name)
    problems: list[Problem] = []
    for tried in TRIED:
        try:
            source = reader(tried)(data, name)
        except SpecError as error:
            problems = problems or list(error.problems)
            continue
        if isinstance(source.value, Mapping) and source.value:
            return source
    raise SpecError(problems or [no_mapping(name)])


def no_mapping(name: str) -> Problem:
    """That a file has no keys."""
    text = "there is no configuration: the file has no keys"
    return Problem("unknown-format", text, place=Place(name, 1, 1, 1))


def text_of(data: str | bytes, name: str) -> Text:
    """A text of another syntax than YAML.

    Raises:
        SpecError: it is too long, or is not UTF-8.
    """
    text, problem = clean(data, name)
    if problem is not None and problem.code != "tab":
        raise SpecError([problem])
    return text


def reader(form: str) -> Callable[[str | bytes, str], Source]:
    """The function that reads a syntax, from the module of that name."""
    function: Callable[[str | bytes, str], Source]
    function = import_module(f"olm.foreign.configs._{form}").read
    return function
