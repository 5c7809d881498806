"""The errors that guides quote are those that olm raises."""

import ast
import re
from pathlib import Path

import pytest

import olm
from olm.checking.guides import guide, guides

ERRORS = re.compile(r"^## Errors\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
ITEM = re.compile(r"^- (`[^`]+`(?: or `[^`]+`)*)", re.MULTILINE)
QUOTED = [
    pytest.param(message, id=f"{name}: {message}")
    for name in guides()
    for section in ERRORS.findall(guide(name).text)
    for item in ITEM.findall(section)
    for message in re.findall("`([^`]+)`", item)
]


def first_lines():
    """The text of every string in olm's code, with a null character for each formatted value."""
    for path in Path(olm.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            parts = node.values if isinstance(node, ast.JoinedStr) else [node]
            values = [getattr(part, "value", None) for part in parts]
            text = "".join(value if isinstance(value, str) else "\0" for value in values)
            yield text.partition("\n")[0]


@pytest.fixture(scope="module")
def errors():
    """A pattern for each line that has enough constant words to be recognized."""
    lines = [line for line in first_lines() if len(line.replace("\0", "")) > 15]
    return {".+".join(map(re.escape, line.split("\0"))) for line in lines}


def is_raised(message, errors):
    return any(re.fullmatch(error, message) for error in errors)


@pytest.mark.parametrize("message", QUOTED)
def test_olm_raises_the_error_that_a_guide_quotes(message, errors):
    assert is_raised(message, errors)


def test_an_error_that_olm_does_not_raise_is_recognised(errors):
    assert len(QUOTED) > 10
    assert not is_raised("a checkpoint must not be of another planet", errors)
    assert not is_raised("monitor: ReduceLROnPlateau has no name", errors)
