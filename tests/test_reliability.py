"""`tools/reliability.py`: every row of the table has a test, and what is missing is reported."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TOOL = ROOT / "tools" / "reliability.py"


@pytest.fixture
def tool(monkeypatch):
    """The tool as a module."""
    spec = importlib.util.spec_from_file_location("tools_reliability", TOOL)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    return module


def test_it_prints_every_row_with_its_tests(tool):
    done = subprocess.run([sys.executable, str(TOOL)], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    *lines, last = done.stdout.splitlines()
    assert [line.split()[0] for line in lines if not line.startswith(" ")] == [*tool.ROWS]
    assert last.startswith(f"{len(tool.ROWS)} rows, ")
    assert all(len(line) <= 160 for line in lines)


def test_every_test_in_the_folder_belongs_to_a_row(tool):
    tests = [
        f"{path.relative_to(ROOT).as_posix()}::{function.name}"
        for path in (ROOT / "tests" / "reliability").glob("test_*.py")
        for function in tool.functions(path)
    ]
    assert {*tests} <= {proof.test for proof in tool.marked()}


def test_missing_tests_rows_and_descriptions_are_reported(tool):
    test = "tests/test_reliability.py::test_it_prints_every_row_with_its_tests"
    proofs = [tool.Proof(row, "It fails.", test) for row in tool.ROWS]
    assert [*tool.errors_in(proofs)] == []
    assert [*tool.errors_in(proofs[1:])] == ["row 1a has no test"]
    odd = [
        tool.Proof("1a", "It fails.", f"{test}_twice"),
        tool.Proof("1a", "It fails.", "tests/test_none.py::test_it"),
        tool.Proof("99", "It fails.", test),
        tool.Proof("1a", "", test),
    ]
    assert [*tool.errors_in([*proofs, *odd])] == [
        f"row 1a: {test}_twice does not exist",
        "row 1a: tests/test_none.py::test_it does not exist",
        f"{test}: row 99 does not exist",
        f"{test}: its docstring must describe the failure",
    ]
