"""The address of the repository and the released version, in every text that contains them."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

from environment import ROOT

TEXTS = ("README.md", "pyproject.toml", ".github/**/*.md", ".github/**/*.yml", "olm/**/*.md")
"""The files that may contain the address or the version."""


def addressed(texts: dict[Path, str]) -> dict[Path, str]:
    """The text of each of those files, given or read from the disk, brought up to date."""
    paths = [path for pattern in TEXTS for path in ROOT.glob(pattern)]
    return {path: filled(texts.get(path) or path.read_text(encoding="utf-8")) for path in paths}


def filled(text: str) -> str:
    """A text with the address and the version that `pyproject.toml` specifies."""
    for pattern, replacement in _replacements():
        text = re.sub(pattern, replacement, text)
    return text


def _replacements() -> Iterator[tuple[str, str]]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    address, version = project["urls"]["Repository"], project["version"]
    host, owner, name = address.rsplit("/", 2)
    yield rf"{re.escape(host)}/[\w.-]+/{name}\b(?!-)", address
    yield rf"[\w.-]+/{name}/tools/action@v[\w.]+", f"{owner}/{name}/tools/action@v{version}"
    yield rf"({re.escape(address)}\s+rev:) v[\w.]+", rf"\1 v{version}"
