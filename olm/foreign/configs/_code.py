"""What of a configuration is no constant, and is refused only where a format asks for it."""

from __future__ import annotations

from typing import NoReturn

from olm.problem import Place, Problem, SpecError


class Code:
    """What is no constant: what it is, for a message, and where."""

    def __init__(self, what: str, place: Place, problem: Problem | None = None) -> None:
        self.what = what
        self.place = place
        self.problem = problem
        """What a format that asks for it reports; by default that it would have to be run."""

    def __repr__(self) -> str:
        return f"Code({self.what!r})"


def unknown(name: str, message: str, place: Place) -> Code:
    return Code(name, place, Problem("needs-code", message, place=place))


def refuse(code: Code) -> NoReturn:
    """Refuse what only running it could tell.

    Raises:
        SpecError: always.
    """
    if code.problem is not None:
        raise SpecError([code.problem])
    text = f"`{code.what:.60}` would have to be run, and nothing in a configuration is run"
    raise SpecError([Problem("needs-code", text, place=code.place)])
