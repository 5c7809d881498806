"""The keys that a framework's own code has, each written into a configuration that is imported."""

import json
import re
import shlex
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import olm
from olm.problem import SpecError

FOLDER = Path(__file__).parent / "imports"
GIVEN = {"world_size": 1, "steps_per_epoch": 10}
WITHOUT_NULL = (".sh", ".toml", ".cfg", ".gin")


def places() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every recorded place for keys, with the name of its format."""
    for file in sorted(FOLDER.glob("*/keys.json")):
        for place in json.loads(file.read_text(encoding="utf-8")):
            yield file.parent.name, place


def with_defaults(place: dict[str, Any]) -> list[str]:
    """The keys with their defaults, as far as the configuration can have them."""
    ending = Path(place["file"]).suffix
    defaults = {key: place["defaults"][key] for key in _other(place, place["defaults"])}
    if ending in WITHOUT_NULL:
        defaults = {key: value for key, value in defaults.items() if value is not None}
    if ending == ".sh":
        defaults = {key: value for key, value in defaults.items() if not _is_nested(value)}
    return [_entry(ending, key, value) for key, value in defaults.items()]


def without_defaults(place: dict[str, Any]) -> list[str]:
    """The keys whose defaults are unknown or cannot be written, with any value."""
    ending = Path(place["file"]).suffix
    value = 1 if ending in WITHOUT_NULL else None
    names = [*place["others"]]
    if ending in WITHOUT_NULL:
        names += [key for key, default in place["defaults"].items() if default is None]
    entries = [_entry(ending, key, value) for key in _other(place, names)]
    flags = _other(place, place["flags"])
    if ending == ".sh":
        return entries + [f"--{key} " for key in flags]
    return entries + [_entry(ending, key.replace("-", "_"), False) for key in flags]


def _is_nested(value: Any) -> bool:
    return isinstance(value, list | dict)


def _entry(ending: str, key: str, value: Any) -> str:
    """A key with its value as the configuration has it."""
    if ending == ".sh":
        return f"--{key} {shlex.quote(str(value))} "
    if ending in (".yaml", ".json"):
        return f"{json.dumps(key)}: {json.dumps(value)}, "
    if ending == ".py":
        return f"{key}={value!r}, "
    return f"{key} = {value!r}\n  " if ending == ".gin" else f"{key} = {json.dumps(value)}\n"


def _other(place: dict[str, Any], names: Iterable[str]) -> list[str]:
    """The keys that the configuration of a place does not have itself."""
    words = {*re.findall(r"[\w-]+", place["text"])}
    return [name for name in names if not {name, f"--{name}"} & words]


class Imported:
    """The configurations of a place, imported."""

    def __init__(self, form: str, place: dict[str, Any], folder: Path) -> None:
        self.form, self.text = form, place["text"]
        self.file = folder / place["file"]
        self.alone = self.outcome([])

    def outcome(self, entries: list[str]) -> Any:
        """The schedule and the rate of a configuration, or the codes and messages of a refusal."""
        self.file.write_text(self.text.replace("<KEYS>", "".join(entries)), encoding="utf-8")
        try:
            made = olm.import_config(self.file, from_=self.form, **GIVEN)
        except SpecError as error:
            return [(problem.code, problem.message) for problem in error.problems]
        return made.spec.schedule, dict(made.spec.optimizer)["lr"]

    def wrong(self, entries: list[str], is_right: Callable[[Any], bool]) -> list[tuple[str, Any]]:
        """The entries with which, alone, the outcome is not right."""
        outcome = self.outcome(entries)
        if not entries or is_right(outcome):
            return []
        if len(entries) == 1:
            return [(entries[0].strip(), outcome)]
        half = len(entries) // 2
        return self.wrong(entries[:half], is_right) + self.wrong(entries[half:], is_right)


def is_known(outcome: Any) -> bool:
    """Whether no key of a configuration is unknown."""
    return not isinstance(outcome, list) or all(code != "unknown-key" for code, _ in outcome)
