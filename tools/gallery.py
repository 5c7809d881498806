"""The gallery: specs/README.md with a picture of every recipe."""

from __future__ import annotations

from itertools import takewhile
from pathlib import Path
from tempfile import TemporaryDirectory

from environment import ROOT
from olm.cli import main

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


def gallery() -> dict[Path, str]:
    """The page and its pictures, by path."""
    paths = sorted(SPECS.glob("*.olm.yaml"))
    pictures = {SPECS / "pictures" / f"{_name(path)}.svg": _picture(path) for path in paths}
    return {SPECS / "README.md": "\n".join([HEAD, *map(_entry, paths)]), **pictures}


def _entry(path: Path) -> str:
    title, *comment = _comment(path)
    picture = f'<img src="pictures/{_name(path)}.svg" width="480" alt="the rates of {_name(path)}">'
    return f"## [{title.removesuffix('.')}]({path.name})\n\n{picture}\n\n{' '.join(comment)}\n"


def _comment(path: Path) -> list[str]:
    """The lines of the comment at the top: the title, then the source."""
    lines = path.read_text(encoding="utf-8").splitlines()[1:]
    return [line.removeprefix("# ") for line in takewhile(lambda line: line[:1] == "#", lines)]


def _picture(path: Path) -> str:
    """The picture that `olm show --svg` draws."""
    with TemporaryDirectory() as folder:
        out = Path(folder) / "picture.svg"
        if main(["show", str(path), "--svg", str(out)]):
            raise SystemExit(f"{path} has no picture")
        return out.read_text(encoding="utf-8")


def _name(path: Path) -> str:
    return path.name.removesuffix(".olm.yaml")
