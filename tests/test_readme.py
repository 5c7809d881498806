"""The README: its examples run as they stand, and it knows every kind, field and command."""

import doctest
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import olm
from olm.kinds import KINDS

ROOT = Path(__file__).parents[1]
BLANKS = " \u2800"
"""What a curve's line ends with; the README leaves it out."""

README = (ROOT / "README.md").read_text()


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


COMMANDS = [
    (command, expected)
    for block in blocks("console")
    for command, expected in re.findall(r"^\$ (olm .*)\n((?:(?!\$).*\n)*)", block, re.MULTILINE)
]


@pytest.mark.parametrize(("command", "expected"), COMMANDS)
def test_a_command_prints_what_the_readme_shows(command, expected):
    arguments = shlex.split(command)[1:]
    done = subprocess.run(
        [sys.executable, "-m", "olm", *arguments], cwd=ROOT, capture_output=True, text=True
    )
    assert [line.rstrip(BLANKS) for line in done.stdout.splitlines()] == [
        line.rstrip(BLANKS) for line in expected.splitlines()
    ]


def test_there_are_commands_to_try():
    assert len(COMMANDS) >= 3


def test_the_python_examples_run_one_after_the_other(monkeypatch):
    monkeypatch.chdir(ROOT)
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    results = doctest.testfile(str(ROOT / "README.md"), module_relative=False, optionflags=flags)
    assert results.attempted > 10
    assert results.failed == 0


@pytest.mark.parametrize("text", [text for text in blocks("yaml") if "kind:" in text])
def test_a_spec_in_the_readme_is_valid(text):
    assert olm.loads(text)


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_and_each_of_its_fields_is_in_the_table(kind):
    (row,) = re.findall(rf"^\| `{kind}` \|.*$", README, re.MULTILINE)
    assert all(f"`{field}`" in row for field in KINDS[kind].model_fields if field != "kind")


def test_every_command_is_mentioned():
    verbs = {
        path.stem
        for path in (ROOT / "olm" / "cli" / "verbs").glob("*.py")
        if "def run(" in path.read_text()
    }
    assert verbs
    assert all(f"olm {verb}" in README for verb in verbs)


def test_every_public_name_is_mentioned():
    assert [
        name for name in ("load", "parse", "build", "save_state") if f"olm.{name}" not in README
    ] == []
