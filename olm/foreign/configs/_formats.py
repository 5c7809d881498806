"""The formats, found by their folder, and which of them a file is in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path as FilePath
from pkgutil import iter_modules

from olm.foreign.configs._config import Config, Keys, Refusal, Translation
from olm.foreign.configs._source import Source
from olm.problem import Place, Problem, listed, nearest

FOLDER = FilePath(__file__).parent


@dataclass(frozen=True)
class Format:
    """A framework's format."""

    title: str
    """The framework in words, such as ``transformers' TrainingArguments``."""
    version: str
    """The version of the framework whose code is followed."""
    marks: str
    """What identifies the format, such as ``lr_scheduler_type or per_device_train_batch_size``."""
    is_it: Callable[[Source], bool]
    """Whether all of its marks are there."""
    keys: Keys
    """What is known of its keys."""
    translate: Callable[[Config], Translation]
    """The translation.

    Raises:
        Refusal: it cannot be exact.
    """


@cache
def formats() -> dict[str, Format]:
    """Every format by its name, which is that of its file."""
    found = [module.name for module in iter_modules([str(FOLDER)])]
    return {
        name: import_module(f"olm.foreign.configs.{name}").FORMAT
        for name in found
        if not name.startswith("_")
    }


def format_of(source: Source, wanted: str = "") -> tuple[str, Format]:
    """The format of a file: the one that the user names, else the one whose marks are there.

    Raises:
        Refusal: no format of that name exists, or no marks are there, or those of several.
    """
    known = formats()
    if wanted:
        if wanted in known:
            return wanted, known[wanted]
        meant = nearest(wanted, known)
        hint = f"did you mean `{meant}`?" if meant else f"known are {listed(known, 'and')}"
        text = f"there is no format `{wanted}`"
        place = Place(source.file, 1, 1, 1)
        raise Refusal([Problem("unknown-format", text, hint=hint, place=place)])
    matching = [name for name, form in known.items() if form.is_it(source)]
    if len(matching) == 1:
        return matching[0], known[matching[0]]
    place = Place(source.file, 1, 1, 1)
    if matching:
        text = f"this could be a configuration of {listed(matching, 'or')}"
        hint = "choose one with --from"
    else:
        text = "this is a configuration of no framework that olm knows"
        looked = "; ".join(f"{name}: {form.marks}" for name, form in known.items())
        hint = f"looked for {looked}"
    raise Refusal([Problem("unknown-format", text, hint=hint, place=place)])
