"""`tools/bench.py` measures; the figures themselves are not tested."""

import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

import needs
from olm.kinds import KINDS
from olm.spec.spec import parse

ROOT = Path(__file__).resolve().parent.parent


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


def test_every_kind_has_a_curve_by_hand(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    formulas = importlib.import_module("contests.formulas")
    curves = {curve.kind: parse(curve.spec).schedule for curve in formulas.LEAVES}
    composed = {curve.kind: parse(curve.spec).schedule for curve in formulas.COMPOSITIONS}
    ours = {kind for kind, model in KINDS.items() if model.__module__.startswith("olm.kinds.")}
    assert curves.keys() | composed.keys() == ours
    assert not any(schedule.children() for schedule in curves.values())
    assert all(schedule.children() for schedule in composed.values())


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
