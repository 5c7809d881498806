"""A unit of durations is specified in one place: all that olm knows of it follows from its line."""

import ast
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from olm.fields.durations import STEP, UNITS
from olm.schedule.clock import Clock

OLM = Path(__file__).parent.parent / "olm"
TABLE = Path("fields") / "durations.py"
COMPOSER = Path("foreign/configs/_composer_times.py")
"""The units of Composer, which are its own even where they are spelled as ours are."""

NEW = """Unit(
    suffix="kep",
    needs="steps_per_epoch",
    singular="kiloepoch",
    plural="kiloepochs",
    also="kiloepoch kiloepochs",
    scale=Fraction(1000),
    example="2kep",
    axis="kiloepochs",
)"""

PROGRAM = """
import json, re
import olm
from olm.cli import main
from olm.fields.durations import duration
from olm.kinds import KINDS
from olm.schema.json_schema import kind_schema

clock = olm.Clock(steps_per_epoch=10, total_steps=40_000)
spec = olm.parse({"kind": "WarmupLR", "warmup_steps": "2kep", "clock": clock.known})
try:
    olm.parse({"kind": "WarmupLR", "warmup_steps": "2 kiloepochs"})
except olm.SpecError as error:
    [problem] = error.problems
schema = json.dumps(kind_schema("WarmupLR", {"WarmupLR": KINDS["WarmupLR"]}))
patterns = {json.loads(text) for text in re.findall(r'"pattern": ("[^"]*tok[^"]*")', schema)}
print(json.dumps({
    "steps": spec.resolve().schedule.warmup_steps,
    "equal": duration("2kep") == duration("2000ep"),
    "hint": problem.hint,
    "fix": problem.fix.text,
    "valid": [
        all(re.search(pattern, text) for pattern in patterns) for text in ("2kep", "2mep")
    ],
    "words": duration("1kep").words,
    "help": "2kep (kiloepochs)" in schema,
}))
with open("a.olm.yaml", "w") as file:
    file.write("{kind: WarmupLR, warmup_steps: 2kep, clock: {steps_per_epoch: 10}}")
main(["show", "a.olm.yaml", "--axis", "kiloepochs", "--csv", "-", "--steps", "20000"])
"""


def literals(path: Path) -> set[str]:
    """The string literals in a file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    constants = (node for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return {node.value for node in constants if isinstance(node.value, str)}


def test_a_unit_that_is_added_to_the_table_is_known_everywhere(tmp_path):
    shutil.copytree(OLM, tmp_path / "olm", ignore=shutil.ignore_patterns("__pycache__"))
    table = tmp_path / "olm" / TABLE
    before = table.read_text(encoding="utf-8")
    table.write_text(before.replace("TOKEN, STEP)", f"TOKEN, STEP, {NEW})"), encoding="utf-8")
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.stderr == ""
    known, heading, *rows = done.stdout.splitlines()
    assert json.loads(known) == {
        "steps": 20_000,
        "equal": True,
        "hint": "write 2kep",
        "fix": "2kep",
        "valid": [True, False],
        "words": "1 kiloepoch",
        "help": True,
    }
    assert heading == "step,lr,kiloepochs"
    assert rows[-1] == "20000,1.0,2.0"


def test_no_file_but_the_table_names_the_suffix_of_a_unit():
    # The per cent sign has other uses.
    suffixes = {*UNITS} - {"%"}
    tables = {OLM / TABLE, OLM / COMPOSER}
    files = (path for path in OLM.rglob("*.py") if path not in tables)
    assert {path: found for path in files if (found := literals(path) & suffixes)} == {}


@pytest.mark.parametrize("unit", UNITS.values(), ids=UNITS)
def test_a_unit_is_converted_by_a_field_of_a_clock(unit):
    assert unit.needs in Clock.model_fields or unit is STEP


def test_each_field_of_a_clock_that_converts_a_unit_has_one_option_and_one_axis():
    for attribute in ("option", "axis"):
        fields = [unit.needs for unit in UNITS.values() if getattr(unit, attribute)]
        assert sorted(fields) == sorted({unit.needs for unit in UNITS.values() if unit.needs})
