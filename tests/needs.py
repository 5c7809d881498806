"""Marks for tests that need what is not installed everywhere, which skip them with the reason."""

from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

import pytest

PINS = Path(__file__).resolve().parent.parent / "tools" / "constraints.txt"


def _is_pinned(name):
    try:
        return f"{name}=={version(name)}" in PINS.read_text(encoding="utf-8").splitlines()
    except PackageNotFoundError:
        return False


torch = pytest.mark.skipif(not find_spec("torch"), reason="torch is not installed")
pins = pytest.mark.skipif(
    not all(map(_is_pinned, ("matplotlib", "pydantic"))),
    reason="the order of keys and the pictures are those of the pinned versions",
)
