"""A configuration of another framework as a spec: its text, its notes, its refusals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from os import PathLike
from typing import Any

from olm.fields.types import MAX_STEPS, TINY
from olm.foreign.configs._config import OPTIONS, Config, Given, Refusal, Translation
from olm.foreign.configs._formats import Format, format_of
from olm.foreign.configs._groups import Group, named
from olm.foreign.configs._interpolation import with_references
from olm.foreign.configs._source import Source, read_source
from olm.problem import OlmError, Problem, SpecError, dotted, found, listed, nearest, path_of
from olm.spec.spec import Spec, parse


@dataclass(frozen=True)
class Imported:
    """A spec from a configuration of another framework."""

    file: str
    """The file that it is from."""
    format: str
    """The name of its format."""
    title: str
    """The framework and the version whose code is followed."""
    spec: Spec
    """The spec, with an expectation of five rates if the length of the run is known."""
    keys: dict[str, tuple[Any, int]]
    """The keys that it came from, each with its value and its line; 0 if the file has no lines."""
    defaults: dict[str, Any]
    """The defaults of the framework that counted."""
    options: dict[str, Any]
    """The options that answered what the file does not say."""
    notes: tuple[str, ...]
    """What of the file is not in the spec."""
    groups: tuple[Group, ...] = ()
    """The param groups that the file makes."""

    @property
    def comments(self) -> Iterator[str]:
        """The lines above the spec: where each number is from."""
        yield f"Imported from {self.file}: {self.title}."
        for key, (value, line) in self.keys.items():
            yield f"{key}: {_short(value)}" + (f" (line {line})" if line else "")
        for key, value in self.defaults.items():
            yield f"{key}: {_short(value)} (the default)"
        for name, value in self.options.items():
            yield f"{OPTIONS[name]}: {_short(value)} (given)"
        for group in self.groups:
            yield f"param group {_short(group.name)}: {_short(group.parameters)}"
        for note in self.notes:
            yield f"Not in this spec: {note}"


def import_config(
    path: str | PathLike[str], *, from_: str = "", at: str = "", **options: Any
) -> Imported:
    """The spec of a configuration of another framework. Nothing in the file is run.

    Args:
        path: the file.
        from_: the name of its format, such as ``transformers``; by default its keys identify it.
        at: where in the file the configuration is, if it is not the whole.
        options: what the file does not say: ``total_steps``, ``warmup_steps``, ``steps_per_epoch``,
            ``dataset_size``, ``world_size`` or ``devices`` (processes on all nodes),
            ``learning_rate``, ``interval`` (``step`` or ``epoch``: how often the program steps the
            scheduler); and ``nearest=True`` to accept the nearest that can be said.

    Raises:
        OSError: the file cannot be read.
        OlmError: an option is unknown or invalid.
        SpecError: the configuration cannot be said exactly; each problem has its key and its place.
    """
    given = given_of(options)
    return imported(read_source(str(path)), given, from_=from_, at=at)


def given_of(options: Mapping[str, Any]) -> Given:
    """The options of an import by their names.

    Raises:
        OlmError: an option is unknown or has a number that is none of its kind.
    """
    known = {**options}
    if "devices" in known:
        known.setdefault("world_size", known.pop("devices"))
    names = [field.name for field in fields(Given)]
    for name, value in known.items():
        if name not in names:
            meant = nearest(name, names)
            hint = f": did you mean {meant}?" if meant else f", known are {listed(names, 'and')}"
            raise OlmError(f"there is no option {name}{hint}")
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        # A warm-up may have no steps.
        least = 0 if name == "warmup_steps" else TINY
        if is_number and not least <= value <= MAX_STEPS:
            must = "at least 0" if least == 0 else "above 0"
            raise OlmError(f"{name} must be {must}, found {found(value)}")
    return Given(**known)


def imported(source: Source, given: Given, *, from_: str = "", at: str = "") -> Imported:
    """The spec of a configuration that was read.

    Raises:
        SpecError: it cannot be said exactly.
    """
    source, root = with_references(source), path_of(at)
    if root and not source.has(*root):
        raise Refusal(
            [Problem("at", f"there is nothing at {at}", place=source.place_of((), False))]
        )
    config = Config(source, given, root)
    inside = (
        source if not root else Source(source.text, source.form, config.peek(), source.place_of)
    )
    name, form = format_of(inside, from_)
    translation = _translated(form, config)
    has_lines = source.form != "pickle"
    keys = {
        dotted(path): (value, has_lines * config.source.place_of(path, True).line)
        for path, value in config.taken.items()
        if not isinstance(value, dict | list)
    }
    return Imported(
        source.file,
        name,
        f"{form.title}, {form.version}",
        _placed(translation, config),
        keys,
        config.defaults,
        config.used,
        tuple(config.notes),
        tuple(named(translation.groups)),
    )


def _translated(form: Format, config: Config) -> Translation:
    """The translation of a configuration, which may have any value at any key.

    Raises:
        SpecError: it cannot be exact.
    """
    try:
        return form.translate(config)
    except OlmError:
        raise
    except (
        ArithmeticError,
        AssertionError,
        AttributeError,
        LookupError,
        MemoryError,
        RuntimeError,
        TypeError,
        ValueError,
    ) as error:
        # What was read last is where the translation failed, or near it.
        path = next(reversed(config.taken), config.root)
        what = f"`{dotted(path)}` or a key near it" if path else "a key"
        text = f"{what} has a value that {form.title} does not take: {error!r:.80}"
        place = config.source.place_of(path, bool(path))
        raise Refusal([Problem("type", text, path, place=place)]) from None


def _placed(translation: Translation, config: Config) -> Spec:
    """The spec of a translation; problems of the spec are problems of the file.

    Raises:
        Refusal: a number is beyond what a spec may have.
    """
    try:
        return _spec_of(translation)
    except SpecError as error:
        numbers = {
            path: value
            for path, value in config.taken.items()
            if isinstance(value, int | float) and not isinstance(value, bool)
        }
        texts = dict.fromkeys((each.code, each.message, each.hint) for each in error.problems)
        problems = []
        for code, message, hint in texts:
            # The spec has other keys than the file, which has the number that is out of range.
            choose = min if "at least" in message else max
            path = choose(numbers, key=lambda path: numbers[path], default=())
            place = config.source.place_of(path, False)
            problems.append(Problem(code, message, path, hint=hint, place=place))
        raise Refusal(problems) from None


def _spec_of(translation: Translation) -> Spec:
    """The spec of a translation, with the rates that it is expected to have."""
    document: dict[str, Any] = dict(translation.schedule)
    optimizer = dict(translation.optimizer)
    if translation.lr is not None:
        optimizer = {"lr": translation.lr, **optimizer}
    for key, value in (
        ("also", translation.also),
        ("param_groups", [group.as_document() for group in named(translation.groups)]),
        ("optimizer", optimizer),
        ("clock", translation.clock),
    ):
        if value:
            document[key] = value
    if translation.rounding != "nearest":
        document["rounding"] = translation.rounding
    spec = parse(document)
    if rates := _expected(spec, translation):
        return parse({**document, "expect": {"rates": rates}})
    return spec


def _expected(spec: Spec, translation: Translation) -> list[dict[str, Any]]:
    """Five rates of the run, if all of it is known."""
    if translation.lr is None or spec.clock is None:
        return []
    try:
        resolved = spec.resolve()
        counted, total = resolved.schedule, resolved.clock and resolved.clock.total_steps
        if not isinstance(total, int):
            return []
        marks = [mark for mark in counted.marks() if 0 < mark < total]
        near = [marks[0] - 1, marks[0]] if marks else [1]
        steps = sorted({0, *near, (total + near[-1]) // 2, total - 1})
        rates = [counted.lr(step, translation.lr) for step in steps]
    except (OlmError, SpecError):
        return []
    return [{"step": step, "lr": rate} for step, rate in zip(steps, rates, strict=True)]


def _short(value: Any) -> str:
    text = str(value).replace("\n", " ")
    return text if len(text) <= 60 else f"{text[:59]}…"
