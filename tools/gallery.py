"""The gallery: specs/README.md with a picture of every recipe."""

from __future__ import annotations

import re
from io import StringIO
from itertools import takewhile
from pathlib import Path

from environment import ROOT

SPECS = ROOT / "specs"
HEAD = """\
# Recipes

Schedules that papers, model cards and repositories report, each as a spec. The comment in a spec
says where its numbers stand and how they were computed. Copy one, or look at it:
`olm show specs/bert-base.olm.yaml --base-lr 1e-4`.

The [folder of kinds](kinds) has a commented spec of every kind.

Written by tools/generate.py from the specs.
"""

BASE = re.compile(r"Base learning rate ([0-9.e+-]*[0-9])")
"""Where a recipe says the base rate that it is drawn with."""


def gallery() -> dict[Path, str]:
    """The page and its pictures, by path."""
    paths = sorted(SPECS.glob("*.olm.yaml"))
    pictures = {SPECS / "pictures" / f"{_name(path)}.svg": _picture(path) for path in paths}
    return {SPECS / "README.md": "\n".join([HEAD, *map(_entry, paths)]), **pictures}


def _entry(path: Path) -> str:
    title, *comment = _comment(path)
    picture = f'<img src="pictures/{_name(path)}.svg" width="480" alt="the rates of {_name(path)}">'
    return f"## [{title.partition('.  ')[0]}]({path.name})\n\n{picture}\n\n{' '.join(comment)}\n"


def _comment(path: Path) -> list[str]:
    """The lines of the comment at the top: the title with the base rate, then the source."""
    lines = path.read_text(encoding="utf-8").splitlines()[1:]
    return [line.removeprefix("# ") for line in takewhile(lambda line: line[:1] == "#", lines)]


def _picture(path: Path) -> str:
    """The curve as SVG, the same text on every run."""
    import matplotlib

    import olm
    from olm.drawing.figure import draw

    spec, told = olm.load(path).resolve(), BASE.search(path.read_text(encoding="utf-8"))
    if told is None:
        raise ValueError(f"{path.name} must say its base learning rate in its comment")
    text = StringIO()
    with matplotlib.rc_context({"svg.hashsalt": "olm", "svg.fonttype": "none"}):
        draw(spec, float(told[1]), spec.schedule.horizon(), text, "svg")
    return "".join(f"{line.rstrip()}\n" for line in text.getvalue().splitlines())


def _name(path: Path) -> str:
    return path.name.removesuffix(".olm.yaml")
