"""The gallery: specs/README.md with a picture of every recipe, and the picture of README.md."""

from __future__ import annotations

from io import StringIO
from itertools import takewhile
from pathlib import Path
from typing import Any

from environment import ROOT

SPECS = ROOT / "specs"
HEAD = """\
# Recipes

Schedules that papers, model cards and repositories report, each as a spec. The comment in a spec
gives the source of its numbers and how they were computed. Copy one, or look at it:
`olm show specs/bert-base.olm.yaml`.

The [folder of kinds](kinds) has a commented spec of every kind, and tables of the kinds and of the
libraries that they are compared with.

Written by tools/generate.py from the specs.
"""

COVER = SPECS / "llama-2-7b.olm.yaml"
"""The recipe that README.md shows, on light pages and on dark ones."""

DARK = {
    "figure.facecolor": "#0d1117",
    "axes.facecolor": "#0d1117",
    "axes.prop_cycle": "cycler('color', ['#58a6ff'])",
    "axes.edgecolor": "#8b949e",
    "grid.color": "#8b949e",
    **dict.fromkeys(
        ("text.color", "axes.labelcolor", "axes.titlecolor", "xtick.color", "ytick.color"),
        "#e6edf3",
    ),
}
"""matplotlib's settings for a page with a dark background, in the colours of GitHub's."""


def gallery() -> dict[Path, str]:
    """The page and its pictures, by path."""
    paths = sorted(SPECS.glob("*.olm.yaml"))
    pictures = {SPECS / "pictures" / f"{_name(path)}.svg": _picture(path) for path in paths}
    if COVER in paths:
        pictures[SPECS / "pictures" / f"{_name(COVER)}-dark.svg"] = _picture(COVER, DARK)
    return {SPECS / "README.md": "\n".join([HEAD, *map(_entry, paths)]), **pictures}


def _entry(path: Path) -> str:
    title, *comment = _comment(path)
    picture = f'<img src="pictures/{_name(path)}.svg" width="480" alt="the rates of {_name(path)}">'
    return f"## [{title.removesuffix('.')}]({path.name})\n\n{picture}\n\n{' '.join(comment)}\n"


def _comment(path: Path) -> list[str]:
    """The lines of the comment at the top: the title, then the source."""
    lines = path.read_text(encoding="utf-8").splitlines()[1:]
    return [line.removeprefix("# ") for line in takewhile(lambda line: line[:1] == "#", lines)]


def _picture(path: Path, settings: dict[str, str] | None = None) -> str:
    """The curve as SVG, the same text on every run, with more settings of matplotlib's."""
    import matplotlib

    import olm
    from olm.drawing.figure import draw

    spec = olm.load(path).resolve()
    # Without a base rate of the optimizer, the rates are those of the first param group.
    numbers = dict(spec.optimizer or spec.param_groups[0].numbers)
    text = StringIO()
    fixed: dict[Any, Any] = {"svg.hashsalt": "olm", "svg.fonttype": "none"}
    with matplotlib.rc_context(fixed | (settings or {})):
        run = spec.clock.total_steps if spec.clock else None
        draw(spec, numbers["lr"], run or spec.schedule.horizon(), text, "svg")
    return "".join(f"{line.rstrip()}\n" for line in text.getvalue().splitlines())


def _name(path: Path) -> str:
    return path.name.removesuffix(".olm.yaml")
