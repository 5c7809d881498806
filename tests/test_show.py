"""``olm show``: the words, the curve, the steps that people ask about, and the files it writes."""

import csv
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import olm
from olm.cli import FINE, MISUSE, PROBLEMS, main
from olm.cli.drawing.braille import PER_DOT, chart, columns, drawn
from olm.cli.drawing.key_steps import key_steps
from olm.cli.show import in_words
from olm.kinds import KINDS
from olm.spec import digest
from training import EXAMPLES

LINEAR = "kind: LinearLR\ntotal_steps: 4\n"


@pytest.fixture
def linear(tmp_path):
    path = tmp_path / "linear.olm.yaml"
    path.write_text(LINEAR)
    return str(path)


@pytest.mark.parametrize("document", EXAMPLES)
def test_every_kind_can_be_shown(document, tmp_path, capsys):
    path = tmp_path / "a.olm.json"
    path.write_text(olm.parse(document).model_dump_json())
    assert main(["show", str(path), "--base-lr", "0.1"]) == FINE
    page = capsys.readouterr().out
    assert page.startswith(f"{document['kind']}: ")
    for why in ("the first step", "the last step that trains"):
        assert why in page
    holds = olm.parse(document).schedule.holds_from() is not None
    assert ("the end, which stays" in page) == holds


def test_the_words_name_every_part_with_the_step_at_which_it_takes_over():
    spec = olm.parse({"kind": "SequentialLR", **KINDS["SequentialLR"].examples[0]})
    assert list(in_words(spec.schedule)) == [
        "SequentialLR: one after another, each counting from its own first step.",
        "  from step 0 on, WarmupLR: up from 0 to the base rate in 10 steps, which holds.",
        "  from step 10 on, CosineAnnealingLR: half a cosine from the base rate down to 1e-05 "
        "at step 90, which holds.",
    ]


def test_the_key_steps_of_a_long_schedule_are_exact():
    schedule = KINDS["WarmupCosineScheduler"](warmup_steps=2000, total_steps=10**9, min_lr=3e-5)
    found = {key.why: key for key in key_steps(schedule, 3e-4, 10**9)}
    assert found["the peak"][:2] == (1999, 3e-4)
    middle = found["half way down"]
    assert middle.rate <= (3e-4 + 3e-5) / 2 < schedule.lr(middle.step - 1, 3e-4)
    assert found["the end, which stays"][:2] == (10**9, 3e-5)


@pytest.mark.parametrize("values", [np.linspace(0, 1, columns(20)), np.ones(columns(20))])
def test_a_curve_is_drawn_in_every_column_at_its_height(values):
    rows = drawn(values, 0.0, 1.0, 8)
    assert {len(row) for row in rows} == {20}
    for column in range(20):
        heights = [7 - row for row in range(8) if rows[row][column] != "⠀"]
        part = values[column * 2 * PER_DOT : (column + 1) * 2 * PER_DOT]
        assert min(heights) == int(np.rint(part[0] * 31)) // 4
        assert max(heights) == int(np.rint(part[-1] * 31)) // 4


def test_a_flat_curve_and_one_of_zeros_have_a_picture():
    assert chart(np.ones(columns(30)), 10)[0].startswith("1.0e+00 ┤⠉")
    assert chart(np.zeros(columns(30)), 10)[10].startswith("      0 ┤⣀")


def test_every_step_goes_into_the_csv(linear, tmp_path, capsys):
    out = tmp_path / "rates.csv"
    assert main(["show", linear, "--base-lr", "0.4", "--csv", str(out)]) == FINE
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert [float(row["lr"]) for row in rows] == olm.load(linear).lr(range(5), base=0.4).tolist()
    assert main(["show", linear, "--base-lr", "0.4", "--csv", "-", "--steps", "6"]) == FINE
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "step,lr"
    assert [line.split(",")[0] for line in lines[1:]] == list("0123456")


def test_pictures_are_written_and_nothing_is_printed(linear, tmp_path, capsys):
    png, svg = tmp_path / "a.png", tmp_path / "a.svg"
    assert main(["show", linear, "--png", str(png), "--svg", str(svg)]) == FINE
    assert png.read_bytes().startswith(b"\x89PNG")
    assert "<svg" in svg.read_text()
    assert capsys.readouterr().out == ""


def test_a_state_says_where_it_stands_and_brings_its_base_rate(tmp_path, capsys):
    spec = olm.loads(LINEAR)
    where = {"last_epoch": 3, "base_lrs": (0.4,), "digest": digest(spec.schedule)}
    path = tmp_path / "scheduler.json"
    path.write_text(spec.model_copy(update=where).model_dump_json())
    assert main(["show", str(path), "--png", str(tmp_path / "a.png")]) == FINE
    assert main(["show", str(path)]) == FINE
    page = capsys.readouterr().out
    assert "It stands at step 3, with the base rates 4.0e-01." in page
    assert "4.0e-01  100 %" in page


def test_a_spec_with_problems_is_told_as_check_tells_them(tmp_path, capsys):
    path = tmp_path / "a.olm.yaml"
    path.write_text("kind: LinearLR\ntotal_step: 4\n")
    assert main(["show", str(path)]) == PROBLEMS
    shown = capsys.readouterr().out
    assert main(["check", str(path)]) == PROBLEMS
    assert capsys.readouterr().out.startswith(shown)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing.olm.yaml"], "there is no file nothing.olm.yaml"),
        (["{linear}", "--base-lr", "-1"], "must be finite and at least 0, found -1"),
        (["{linear}", "--base-lr", "nan"], "must be finite and at least 0, found nan"),
        (["{linear}", "--base-lr", "much"], "invalid rate value: 'much'"),
        (["{linear}", "--steps", "0"], "must be whole and at least 1, found 0"),
        (["{linear}", "--steps", "1.5"], "must be whole and at least 1, found 1.5"),
        (["{linear}", "--csv", "{linear}/rates.csv"], "Not a directory"),
        ([], "the following arguments are required: FILE"),
    ],
)
def test_wrong_use_is_told_in_a_line(arguments, message, linear, capsys):
    assert main(["show", *(argument.format(linear=linear) for argument in arguments)]) == MISUSE
    assert message in capsys.readouterr().err


def test_a_rate_that_overflows_is_a_problem_of_the_spec(tmp_path, capsys):
    path = tmp_path / "a.olm.yaml"
    path.write_text("kind: ConstantLR\nfactor: 1e300\n")
    assert main(["show", str(path), "--base-lr", "1e300"]) == PROBLEMS
    assert "ConstantLR: the rate at step 0 would be inf" in capsys.readouterr().err


def test_without_matplotlib_a_picture_says_what_to_install(linear, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert main(["show", linear, "--png", "a.png"]) == MISUSE
    assert "pip install 'olm-schedules[plot]'" in capsys.readouterr().err


def test_a_terminal_that_knows_no_braille_gets_its_codes_and_no_traceback(linear):
    command = [sys.executable, "-m", "olm", "show", linear]
    environment = {"PYTHONIOENCODING": "ascii", "PYTHONPATH": str(Path(__file__).parents[1])}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert (done.returncode, done.stderr) == (FINE, "")
