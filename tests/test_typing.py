"""Type checkers know the fields of kinds, what they hold, and the arguments of torch classes."""

import json
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import needs

ROOT = Path(__file__).parents[1]
USES = ROOT / "tests" / "uses" / "of_types.py"


def marked(checker):
    """The errors that the file marks: the line of each, and its name in mypy or pyright."""
    marks = re.compile(r"# error: ([\w-]+), (\w+)$")
    lines = enumerate(USES.read_text(encoding="utf-8").splitlines(), 1)
    return {
        number: mark[1 if checker == "mypy" else 2]
        for number, line in lines
        if (mark := marks.search(line))
    }


@needs.torch
def test_mypy_reports_each_invalid_use_at_its_line_and_no_valid_one():
    mypy = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", str(USES)]
    done = subprocess.run(mypy, cwd=ROOT, capture_output=True, text=True)
    errors = [line for line in done.stdout.splitlines() if ": error: " in line]
    found = {int(line.split(":")[1]): line.rsplit("[")[-1].rstrip("]") for line in errors}
    assert found == marked("mypy"), done.stdout


@needs.torch
def test_pyright_reports_each_invalid_use_at_its_line_and_no_valid_one():
    if not find_spec("pyright"):
        pytest.skip("pyright is not installed")
    pyright = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable]
    done = subprocess.run([*pyright, str(USES)], cwd=ROOT, capture_output=True, text=True)
    report = json.loads(done.stdout)["generalDiagnostics"]
    found = {
        problem["range"]["start"]["line"] + 1: problem["rule"]
        for problem in report
        if problem["severity"] == "error"
    }
    assert found == marked("pyright"), done.stdout
