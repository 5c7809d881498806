"""A file that another tool reads: olm's own classes in it are checked, the rest is recognized."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from shlex import quote
from typing import Any

from olm.checking.check import Checked, Options, check
from olm.checking.own_classes import Call, calls, fields
from olm.fields.errors import quoted
from olm.fields.foreign_kinds import foreign_kind
from olm.fields.nicknames import difference
from olm.foreign.configs._formats import format_of
from olm.foreign.configs._source import Source
from olm.kinds import KINDS
from olm.problem import (
    Fix,
    Path,
    Place,
    Problem,
    SpecError,
    by_position,
    clipped,
    dotted,
    only_near,
)
from olm.schedule.schedule import nearest_kind
from olm.spec.root_keys import ROOT_KEYS
from olm.text.document import Document, read

NAMES = ("class_path", "_target_", "type", "name", "NAME")
"""The keys under which other tools name a schedule."""


KEYS = {*ROOT_KEYS, "kind"}
"""The keys of a spec that are no arguments of a class."""


def checked(document: Document, options: Options) -> Checked | None:
    """The check of a document that has no `kind`; None if no other tool's file is recognized."""
    if found := [*calls(document.value)]:
        return _joined(document, [_of_call(document, call, options) for call in found])
    if (problem := _recognized(document, options.at)) is None:
        return None
    return Checked(document, (document.located(problem),))


def _joined(document: Document, results: list[Checked]) -> Checked:
    """The results of the classes in a document as one."""
    problems = sorted((each for result in results for each in result.problems), key=by_position)
    only = results[0]
    if len(results) > 1 or only.spec is None:
        return Checked(document, tuple(problems), waits=any(each.waits for each in results))
    return replace(only, document=document, problems=tuple(problems))


def _of_call(document: Document, call: Call, options: Options) -> Checked:
    """The check of the arguments of a class, with places in the whole document."""
    at, kind = options.at + call.at, call.kind
    if kind is not None and KINDS.get(kind) is None:
        return Checked(document, (document.located(_no_class(call, kind)),))
    inner = read(document.text.content, document.text.file, at)
    if kind is None and isinstance(inner.value, str):
        return Checked(document, (document.located(_elsewhere(inner.value, call.at)),))
    extra: list[Problem] = []
    if kind is not None and isinstance(inner.value, Mapping | None):
        known = fields(inner.value or {})
        extra = [inner.located(_no_argument(kind, key)) for key in known if key in KEYS]
        value = {key: value for key, value in known.items() if key not in KEYS}
        there = [each for each in inner.problems if each.code != "at"]
        inner = replace(inner, value={"kind": kind, **value}, readable=True, problems=there)
    result = check(inner, options._replace(at=at))
    problems = [
        _under(document, problem, call)
        for problem in (*extra, *result.problems)
        if not _is_interpolated(inner.value, problem)
    ]
    return replace(result, problems=tuple(problems))


def _under(document: Document, problem: Problem, call: Call) -> Problem:
    """A problem of the arguments as one of the document."""
    about_kind = problem.path == ("kind",) and not problem.at_key
    if call.kind is not None and (about_kind or not problem.path):
        return document.located(problem._replace(path=call.class_at, at_key=False))
    return problem.under(call.at)


def _is_interpolated(value: Any, problem: Problem) -> bool:
    """Whether a problem is about a value that the other tool fills in, such as ``${steps}``."""
    for key in problem.path:
        try:
            value = value[key]
        except (LookupError, TypeError):
            return False
    return not problem.at_key and isinstance(value, str) and "${" in value


def _no_class(call: Call, kind: str) -> Problem:
    """That no kind is called so, with the kind that was probably meant."""
    meant = nearest_kind(kind)
    hint = f"did you mean `{meant}`?" if meant else "`olm kinds` lists them"
    fix = None
    if foreign := foreign_kind(kind, KINDS):
        hint = foreign[0]
    elif sure := only_near(kind, KINDS):
        fix = Fix(f"{call.name.removesuffix(kind)}{sure}", in_quotes=True)
    message = f"there is no kind {quoted(kind)}"
    return Problem("unknown-kind", message, call.class_at, hint=hint, fix=fix)


def _elsewhere(spec: str, at: Path) -> Problem:
    """That `olm.build` reads its spec from elsewhere: from a file, or from another key."""
    if spec.startswith("${"):
        hint = f"`{clipped(spec)}` is elsewhere: `olm check --at` checks it in its own file"
    else:
        hint = f"the spec is a file: `olm check {clipped(quote(spec))}`"
    return Problem("missing-kind", "there is no spec here", at, hint=hint)


def _no_argument(kind: str, key: str) -> Problem:
    message = f"{kind} has no argument `{key}`"
    return Problem("unknown-field", message, (key,), at_key=True, hint="`olm.build` takes a spec")


def _recognized(document: Document, at: Path) -> Problem | None:
    """That a schedule of another tool has no kind, and how to go on."""
    hint, message = _imported(document, at), "a schedule needs the key `kind`"
    # At the root of a whole configuration, `name` and `type` may be those of anything.
    for key in () if hint and not at else NAMES:
        name = document.value.get(key)
        if isinstance(name, str) and (meant := _named(name)):
            return Problem("missing-kind", message, (key,), hint=_sentences(meant, hint))
    return Problem("missing-kind", message, hint=hint) if hint else None


def _sentences(first: str, second: str) -> str:
    """Two hints as one."""
    if not second:
        return first
    return f"{first} {second[0].upper()}{second[1:]}" if first[-1] == "?" else f"{first}; {second}"


def _imported(document: Document, at: Path) -> str:
    """The hint for a configuration of a framework that `olm import` reads; empty for another."""
    file = document.text.file
    command = "olm import" + (" FILE" if file.startswith("<") else f" {quote(file)}")
    place = f" --at {quote(dotted(at))}" if at else ""
    if title := _title(document):
        return f"this is a configuration of {title}: `{command}{place}` writes its spec"
    if at and (title := _title(read(document.text.content, file))):
        return f"the file is a configuration of {title}: `{command}` writes its spec"
    return ""


def _title(document: Document) -> str:
    """The only framework whose configuration a document is, in words."""
    places = document.places

    def place_of(path: Path, at_key: bool) -> Place:
        return places.place(path, at_key) if places else Place(document.text.file, 1, 1, 1)

    form = "toml" if document.text.file.endswith(".toml") else "yaml"
    if not isinstance(document.value, Mapping):
        return ""
    try:
        return format_of(Source(document.text, form, document.value, place_of))[1].title
    except SpecError:
        return ""


def _named(name: str) -> str:
    """The hint for the name of a schedule; empty if no framework is known to have it."""
    if foreign := foreign_kind(name, KINDS):
        return foreign[0]
    last = name.rpartition(".")[2]
    if last not in KINDS:
        return ""
    return difference(last) or f"did you mean `kind: {clipped(last)}`?"
