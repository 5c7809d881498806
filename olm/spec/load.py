"""Specs from YAML, JSON and TOML: files, texts, and documents that were read from them."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from typing import Any

from olm.problem import SpecError, by_position, path_of
from olm.schedule.schedule import Schedule
from olm.spec.spec import Spec, parse, parse_plain
from olm.text.document import Document, read, read_file

SpecSource = Spec | Schedule | Mapping[str, Any] | str | PathLike[str]
"""What a spec may be given as: itself, its schedule, a mapping, or the path of a file."""


def as_spec(source: SpecSource, *, at: str = "") -> Spec:
    """The spec that a caller gives, in whichever form.

    Args:
        source: the path of a YAML, JSON or TOML file, a mapping, a Schedule or a Spec.
        at: where in the file the schedule stands, as `load` has it.

    Raises:
        OSError: the file cannot be read.
        SpecError: the spec is not valid.
        ValueError: `at` is not written with dots and indices, or there is no file.
    """
    if isinstance(source, str | PathLike):
        return load(source, at=at)
    if at:
        raise ValueError(f"at={at!r} is a place in a file, and the spec is none")
    return parse(source)


def load(path: str | PathLike[str], *, at: str = "") -> Spec:
    """The spec in a YAML, JSON or TOML file.

    Args:
        path: the file.
        at: where in it the schedule stands, such as ``optim.schedules[0]``, if it is not the whole.
            The rest of the file may be anything.

    Raises:
        OSError: the file cannot be read.
        SpecError: with every problem that there is, each with its line and column.
        ValueError: `at` is not written with dots and indices.
    """
    return parse_document(read_file(path, path_of(at)))


def loads(text: str | bytes, name: str = "<text>", *, at: str = "") -> Spec:
    """The spec in a YAML or JSON text, or in a TOML text if `name` ends so.

    Args:
        text: the text.
        name: what stands for the file in a problem.
        at: where in it the schedule stands, as `load` has it.

    >>> loads("{kind: LinearLR, total_steps: 1e3}").schedule
    Linear(total_steps=1000, end_lr=0.0, start_factor=1.0)
    >>> loads("{lr: {kind: LinearLR, total_steps: 0}}", "a.yaml", at="lr")
    Traceback (most recent call last):
        ...
    olm.problem.SpecError: a.yaml:1:36: error[range]: total_steps must be at least 1, found 0
    """
    return parse_document(read(text, name, path_of(at)))


def parse_document(document: Document) -> Spec:
    """The spec in a document that was read.

    Raises:
        SpecError: with every problem of the text and of what it specifies, in the order of their
            places.
    """
    problems = list(document.problems)
    if document.readable:
        try:
            spec = parse_plain(document.value)
            if not problems:
                return spec
        except SpecError as error:
            problems += (
                document.located(problem)
                for problem in error.problems
                if not document.is_known(problem)
            )
    raise SpecError(sorted(problems, key=by_position)) from None
