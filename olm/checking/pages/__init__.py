"""What every code of a finding means: a page each, in a file here or at the head of its lint.

The page of an error is ``unknown-field.md`` in this folder; that of a warning is the docstring of
its lint, ``lint/rates/late_rise.py`` for ``late-rise``. A page is a title, paragraphs, and two
examples, one of them bad and one good, which the tests run.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import NamedTuple

PAGES = Path(__file__).parent
LINTS = PAGES.parent / "lint"

_EXAMPLE = r"{}:\n\n```(yaml|json|toml|sh)\n(.+?)```\n(?:\n```text\n(.+?)```\n)?"
_SHAPE = re.compile(
    r"([^\n]+)\n\n(.+?)\n\n" + _EXAMPLE.format("Bad") + r"\n" + _EXAMPLE.format("Good"), re.DOTALL
)


class Example(NamedTuple):
    """A spec or, where no text can show it, a command."""

    language: str
    """``yaml``, ``json`` or ``toml`` for a spec, ``sh`` for a command."""
    text: str
    said: str = ""
    """The finding that a bad command prints; that of a spec is found by checking it."""


class Page(NamedTuple):
    """What a code means, why there is such a finding, and what to do about it."""

    code: str
    title: str
    """What was found, in a few words."""
    text: str
    """Paragraphs of Markdown, with an empty line between them."""
    bad: Example
    """What gets exactly this finding."""
    good: Example
    """The same without the mistake."""
    severity: str
    """``error`` or ``warning``."""


def codes() -> list[str]:
    """Every code that has a page, in alphabetical order.

    >>> {"range", "unknown-field"} <= set(codes())
    True
    """
    return sorted(_files())


def _files() -> dict[str, Path]:
    """The file of every page, by its code."""
    files = [*PAGES.glob("*.md"), *LINTS.glob("*/[!_]*.py")]
    return {path.stem.replace("_", "-"): path for path in files}


def pages() -> list[Page]:
    """The page of every code, in alphabetical order."""
    return [_page(code, path) for code, path in sorted(_files().items())]


def page(code: str) -> Page:
    """The page of a code.

    >>> page("unknown-kind").title
    'an unknown kind'

    Raises:
        KeyError: there is no such code.
        ValueError: its page does not have the shape that every page has.
    """
    return _page(code, _files()[code])


def file_of(code: str) -> Path:
    """The file that explains a code; one that does not exist for a code that is unknown.

    >>> file_of("unknown-field").name, file_of("late-rise").name
    ('unknown-field.md', 'late_rise.py')
    """
    return _files().get(code, PAGES / f"{code}.md")


def _page(code: str, path: Path) -> Page:
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        return _parsed(code, text.removeprefix(f"# {code}: "), "error")
    # Only the docstring is parsed; no page contains the quotes that end it.
    return _parsed(code, ast.literal_eval(text[: text.index('"""', 3) + 3]), "warning")


def _parsed(code: str, text: str, severity: str) -> Page:
    if not (match := _SHAPE.fullmatch(text)):
        raise ValueError(f"the page of `{code}` must be a title, paragraphs, `Bad:` and `Good:`")
    title, paragraphs, *examples = match.groups(default="")
    # A docstring is a sentence.
    title = (title[0].lower() + title[1:]).removesuffix(".")
    return Page(code, title, paragraphs, Example(*examples[:3]), Example(*examples[3:]), severity)
