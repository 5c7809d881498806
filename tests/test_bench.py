"""`tools/bench.py` measures; the figures themselves are not tested."""

import importlib
import json
import subprocess
import sys
from itertools import islice
from pathlib import Path

import pytest
from jsonschema import Draft7Validator

import needs
from olm.checking.check import check
from olm.kinds import KINDS
from olm.spec.spec import parse
from olm.text.document import read

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def tool(monkeypatch):
    """Imports a module of `tools` by its name."""
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    return importlib.import_module


def bench(*args):
    command = [sys.executable, "tools/bench.py", *args]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


@needs.torch
def test_a_contest_prints_a_ratio_and_exits_by_its_goal():
    done = bench("--quick", "--json", "--only", "curve LinearDecayLR")
    (result,) = json.loads(done.stdout)
    assert (result["name"], result["against"]) == ("curve LinearDecayLR", "numpy in place")
    assert result["ratio"] > 0
    assert result["met"] == (result["ratio"] <= result["goal"])
    assert done.returncode == (0 if result["met"] else 1)
    assert done.stderr == "1 of 1: curve LinearDecayLR\n"


def test_every_kind_has_a_curve_by_hand(tool):
    formulas = tool("contests.formulas")
    curves = {curve.kind: parse(curve.spec).schedule for curve in formulas.LEAVES}
    composed = {curve.kind: parse(curve.spec).schedule for curve in formulas.COMPOSITIONS}
    ours = {kind for kind, model in KINDS.items() if model.__module__.startswith("olm.kinds.")}
    assert curves.keys() | composed.keys() == ours
    assert not any(schedule.children() for schedule in curves.values())
    assert all(schedule.children() for schedule in composed.values())


def test_the_files_of_the_contests_differ_and_only_wrong_ones_have_an_error(tool):
    documents = tool("contests.documents")
    drawn = [*islice(documents.texts(), 300)]
    assert drawn == [*islice(documents.texts(), 300)]
    assert len({text for text, _ in drawn}) == len(drawn)
    assert [is_valid for _, is_valid in drawn] == [index % 10 != 9 for index in range(300)]
    schema = Draft7Validator(json.loads((ROOT / "schemas/schedule.schema.json").read_text()))
    for text, is_valid in drawn:
        document = read(text, "a.olm.yaml")
        assert schema.is_valid(document.value) == is_valid, text
        assert check(document).count("error") == (not is_valid), text
    values = [read(text, "a.olm.yaml").value for text, is_valid in drawn if is_valid]
    ours = {kind for kind, model in KINDS.items() if model.__module__.startswith("olm.kinds.")}
    assert {value["kind"] for value in values} == ours
    assert sum("ep" in json.dumps(value) and "clock" in value for value in values) >= 25
    assert sum("[{" in json.dumps(value) or ": {" in json.dumps(value) for value in values) >= 30


@needs.torch
def test_the_page_has_a_row_for_everything_that_is_measured(tool):
    module = tool("bench")
    page = (ROOT / "tools" / "bench.md").read_text(encoding="utf-8")
    assert page.startswith(module.INTRODUCTION)
    cells = [[cell.strip() for cell in line.split("|")] for line in page.splitlines()]
    first = {row[1] for row in cells if len(row) > 2}
    families = [family for topic in module.TOPICS for family in module.families(topic)]
    assert {family.heading for family in families} <= first
    assert {contest.what for family in families for contest in family.contests} <= first


@needs.torch
def test_an_amount_has_a_unit_and_a_goal():
    done = bench("--quick", "--json", "--only", "check memory")
    (result,) = json.loads(done.stdout)
    assert (result["against"], result["unit"]) == ("peak memory", "MiB")
    assert 10 < result["ratio"] < 1000
    assert result["met"] == (result["ratio"] <= result["goal"])


def test_without_npm_its_column_is_skipped_with_a_message(tmp_path):
    program = f"""
from pathlib import Path
from contests import ajv
ajv.FOLDER = Path({str(tmp_path)!r}) / "node"
print(ajv.command(Path("schema.json")), ajv.command(Path("schema.json")))
"""
    command = [sys.executable, "-c", program]
    environment = {"PATH": str(tmp_path), "PYTHONPATH": str(ROOT / "tools")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("None None\n", "ajv-cli is left out: there is no npm\n")


@needs.torch
@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--only", "nothing"], "no contest has 'nothing' in its name"),
        (["--write", "--quick"], "--write is for all contests, without --only and --quick"),
    ],
)
def test_unknown_arguments_are_rejected(args, message):
    done = bench(*args)
    assert done.returncode == 2
    assert done.stderr.endswith(f"bench.py: error: {message}\n")
