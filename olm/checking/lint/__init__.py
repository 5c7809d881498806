"""Warnings about a spec that is valid but probably wrong. A file in a folder here is a rule.

``rates/late_rise.py`` is ``late-rise``. The folder is what the rule needs: only the ``text``, the
schedule in ``steps``, or its ``rates``, which only ``olm check --lint`` computes. The docstring of
a rule is its page, which ``olm explain`` prints, and its `warnings(subject)` returns what it finds.
To add a rule, copy a file.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Literal, Protocol, cast, get_args

from olm.checking.lint._subject import Subject
from olm.problem import Problem, clipped, nearest

Needs = Literal["text", "steps", "rates"]
"""What a rule looks at; each is more than the one before."""


class Rule(Protocol):
    """What the module of a rule has."""

    def warnings(self, subject: Subject) -> Iterator[Problem]:
        """What is found, each with its path or, where that says too little, its place."""


@cache
def codes() -> tuple[str, ...]:
    """The code of every rule, in alphabetical order.

    >>> "jump" in codes()
    True
    """
    return tuple(sorted(_folders()))


@cache
def _folders() -> dict[str, Needs]:
    """What every rule needs, by its code."""
    return {
        module.name.replace("_", "-"): needs
        for needs in get_args(Needs)
        for folder in __path__
        for module in iter_modules([f"{folder}/{needs}"])
    }


def needs(code: str) -> Needs:
    """What a rule looks at.

    >>> needs("jump")
    'rates'
    """
    return _folders()[code]


@cache
def rule(code: str) -> Rule:
    """The rule with a code."""
    return cast(Rule, import_module(f"{__name__}.{needs(code)}.{code.replace('-', '_')}"))


def misnamed(wanted: Iterable[str]) -> str | None:
    """What is wrong with codes that somebody gave, if one of them is none of a warning.

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
    """What is most likely not meant, each with its place, without what the file silences.

    Args:
        subject: what is looked at.
        given: what rules may look at: those that need more are not applied.
        select: the codes to look for; all of them if there is none.
        ignore: the codes not to look for.
    """
    applied = _applied(given, tuple(select), tuple(ignore))
    with _rates_that_overflow() if given == "rates" else nullcontext():
        found = [one for rule in applied.values() for one in rule.warnings(subject)]
    if subject.spec.durations:
        found = [_with_durations(one, subject) for one in found]
    located = [one if one.place else subject.document.located(one) for one in found]
    if not subject.ignores:
        return located
    silenced = {(by.line, code) for by in subject.ignores for code in by.codes}
    used = {key for one in located for key in _keys(one) if key in silenced}
    if "unused-ignore" in applied:
        from olm.checking.lint.text.unused_ignore import idle

        located += idle(subject, applied, used)
    return [one for one in located if silenced.isdisjoint(_keys(one))]


def _with_durations(problem: Problem, subject: Subject) -> Problem:
    """A warning that says how many steps a duration is, if it is about one."""
    about = map(subject.steps_of, (problem.path, *problem.also))
    return replace(problem, hint="; ".join(filter(None, [problem.hint, *about])))


def _keys(problem: Problem) -> tuple[tuple[int | None, str], ...]:
    """With which line, or none for the whole file, and code a comment silences a warning."""
    line = problem.place.line if problem.place else None
    return (line, problem.code), (None, problem.code)


def _rates_that_overflow() -> AbstractContextManager[object]:
    """Where they may: a comparison with what is not finite finds nothing."""
    import numpy as np

    return np.errstate(all="ignore")


@cache
def _applied(given: Needs, select: tuple[str, ...], ignore: tuple[str, ...]) -> dict[str, Rule]:
    """The rules that are wanted, by their codes."""
    wanted = [code for code in codes() if code not in ignore and (not select or code in select)]
    levels = get_args(Needs)
    there = levels[: levels.index(given) + 1]
    return {code: rule(code) for code in wanted if needs(code) in there}
