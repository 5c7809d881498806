"""Warnings about a spec that is valid but probably wrong. A file in a folder here is a rule.

``rates/late_rise.py`` is the rule ``late-rise``. The folder names what the rule needs: only the
``text``, the schedule in ``steps``, or its ``rates``, which only ``olm check --lint`` computes;
rules about ``comments`` and ``targets`` need the text, rules about ``axes`` the steps, and all
three are imported only for documents that have some. The docstring of a rule is its page, which
``olm explain`` prints, its `SCOPE` is what it is applied to, and its `warnings(subject)` yields the
warnings. To add a rule, copy a file.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Literal, Protocol, cast, get_args

from olm.checking.lint._subject import Subject
from olm.problem import Problem, clipped, nearest

Needs = Literal["text", "steps", "rates"]
"""What a rule needs; each includes the one before."""

Folder = Literal["comments", "text", "targets", "steps", "axes", "rates"]
"""The folders of rules."""

Scope = Literal["document", "rates", "numbers"]
"""What a rule is applied to: the document, each learning rate in it, or each number."""


class Rule(Protocol):
    """The module of a rule."""

    SCOPE: Scope

    def warnings(self, subject: Subject) -> Iterator[Problem]:
        """The warnings, each with its path in the schedule or, if no path fits, its place."""


@cache
def codes() -> tuple[str, ...]:
    """The code of every rule, in alphabetical order.

    >>> "jump" in codes()
    True
    """
    return tuple(sorted(_folders()))


@cache
def _folders() -> dict[str, Folder]:
    """The folder of each rule, by code."""
    return {
        module.name.replace("_", "-"): folder
        for folder in get_args(Folder)
        for path in __path__
        for module in iter_modules([f"{path}/{folder}"])
    }


def needs(code: str) -> Needs:
    """What a rule needs.

    >>> needs("jump")
    'rates'
    """
    folder = _folders()[code]
    if folder == "comments" or folder == "targets":
        return "text"
    return "steps" if folder == "axes" else folder


@cache
def rule(code: str) -> Rule:
    """The rule with a code."""
    return cast(Rule, import_module(f"{__name__}.{_folders()[code]}.{code.replace('-', '_')}"))


def misnamed(wanted: Iterable[str]) -> str | None:
    """The error message for the first of some codes that no warning has; None if all are known.

    >>> misnamed(["jump", "late-raise"])
    'there is no warning `late-raise`: did you mean `late-rise`?'
    """
    wrong = next((code for code in wanted if code not in codes()), None)
    if wrong is None:
        return None
    meant = nearest(wrong, codes())
    hint = f"did you mean `{meant}`?" if meant else "`olm explain` lists them"
    return f"there is no warning `{clipped(wrong)}`: {hint}"


def warned(
    subject: Subject,
    given: Needs = "steps",
    select: Collection[str] = (),
    ignore: Collection[str] = (),
) -> list[Problem]:
    """The warnings about a spec, each with its place, without those that the file silences.

    Args:
        subject: the spec to check, with the schedule of its root.
        given: what is available to rules; those that need more are skipped.
        select: the codes of the rules to apply; by default all of them.
        ignore: the codes of the rules to skip.
    """
    applied = _applied(given, tuple(select), tuple(ignore), _absent(subject))
    with _overflow_allowed() if given == "rates" else nullcontext():
        found = [*_found(subject, applied.values())]
    if subject.spec.durations:
        found = [_with_durations(problem, subject) for problem in found]
    located = [problem if problem.place else subject.document.located(problem) for problem in found]
    if not subject.ignores:
        return located
    silenced = {(comment.line, code) for comment in subject.ignores for code in comment.codes}
    used = {key for problem in located for key in _keys(problem) if key in silenced}
    if "unused-ignore" in applied:
        from olm.checking.lint.comments.unused_ignore import idle

        located += idle(subject, applied, used)
    return [problem for problem in located if silenced.isdisjoint(_keys(problem))]


def _absent(subject: Subject) -> tuple[Folder, ...]:
    """The folders whose rules find nothing in a document."""
    also = subject.spec.also
    absent: tuple[Folder, ...] = () if subject.ignores else ("comments",)
    if not also:
        absent += ("targets",)
    if not (subject.schedule.has_axis or any(target.curve.has_axis for target in also)):
        absent += ("axes",)
    return absent


def _found(subject: Subject, rules: Collection[Rule]) -> Iterator[Problem]:
    """The warnings about each schedule of a spec, with their paths in the document."""
    for rule in rules:
        yield from rule.warnings(subject)
    for inner in subject.of_targets():
        for rule in rules:
            if rule.SCOPE == "numbers" or (rule.SCOPE == "rates" and inner.is_rate):
                for problem in rule.warnings(inner):
                    yield problem._replace(path=inner.place + problem.path)


def _with_durations(problem: Problem, subject: Subject) -> Problem:
    """A warning, with the steps of the durations that it is about as a hint."""
    about = map(subject.steps_of, (problem.path, *problem.also))
    return problem._replace(hint="; ".join(filter(None, [problem.hint, *about])))


def _keys(problem: Problem) -> tuple[tuple[int | None, str], ...]:
    """The line, or None for the whole file, and code of the comments that silence a warning."""
    line = problem.place.line if problem.place else None
    return (line, problem.code), (None, problem.code)


def _overflow_allowed() -> AbstractContextManager[object]:
    """A context in which rates may overflow: comparisons with them are false."""
    import numpy as np

    return np.errstate(all="ignore")


@cache
def _applied(
    given: Needs, select: tuple[str, ...], ignore: tuple[str, ...], absent: tuple[Folder, ...]
) -> dict[str, Rule]:
    """The rules to apply, by code, without those in some folders."""
    wanted = [code for code in codes() if code not in ignore and (not select or code in select)]
    levels = get_args(Needs)
    there = levels[: levels.index(given) + 1]
    return {
        code: rule(code)
        for code in wanted
        if needs(code) in there and _folders()[code] not in absent
    }
