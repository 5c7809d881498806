"""The guides: a Markdown page for every task that takes more than a sentence of help.

The guide that `olm explain resume` prints is ``resume.md`` in this folder. Its first line is
``# resume: `` and a title, as in the pages of the codes; no guide has the name of a code. Sections,
lists, tables, code blocks and links between guides, ``[resume](resume.md)``, are Markdown's own.

The tests run every code block, from top to bottom, in an empty folder:

- a block whose first line is a comment with a file name, ``# train.py``, becomes that file;
- a ``python`` block with ``>>>`` is a doctest, another one runs, and all share their names;
- a ``yaml`` block with a ``kind:`` is a valid spec, unless its file is called ``bad...``; any other
  one is valid YAML;
- a ``console`` block runs what follows ``$``, and prints what it shows; ``...`` is any text.

A guide that needs more than olm's own tests have says so in its second line:
``<!-- environment: hosts -->`` runs its code where the trainers are, by ``tools/hosts.py``.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

GUIDES = Path(__file__).parent
SUFFIX = ".md"

_SHAPE = re.compile(
    r"# (?P<name>[a-z0-9-]+): (?P<title>[^\n]+)\n"
    r"(<!-- environment: (?P<environment>[a-z]+) -->\n)?\n(?P<text>.+)",
    re.DOTALL,
)


class Guide(NamedTuple):
    """A page about a task."""

    name: str
    title: str
    """The task, in a few words."""
    text: str
    """Markdown, without the title."""
    environment: str
    """Where its code runs: ``hosts`` has the trainers; empty for olm's own tests."""


def guides() -> list[str]:
    """The names of all guides, in alphabetical order.

    >>> "resume" in guides()
    True
    """
    return sorted(path.stem for path in GUIDES.glob(f"*{SUFFIX}"))


def guide(name: str) -> Guide:
    """The guide of this name.

    >>> guide("resume").title
    'stop a run at any step and continue it'

    Raises:
        KeyError: there is no such guide.
        ValueError: the page does not have the shape of a guide.
    """
    if name not in guides():
        raise KeyError(name)
    return _read(name)


def all_guides() -> list[Guide]:
    """Every guide, in alphabetical order."""
    return [_read(name) for name in guides()]


def _read(name: str) -> Guide:
    match = _SHAPE.fullmatch((GUIDES / f"{name}{SUFFIX}").read_text(encoding="utf-8"))
    if not match or match["name"] != name:
        raise ValueError(f"the guide `{name}` must begin with `# {name}: ` and its title")
    return Guide(name, match["title"], match["text"], match["environment"] or "")
