"""``olm diff``: what it compares, what it says of it, what it writes, and how it ends."""

import json
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings

import olm
from olm.cli import FINE, MISUSE, PROBLEMS, main
from olm.kinds.linear import Linear
from olm.kinds.plateau import Plateau
from olm.spec.digest import digest
from strategies import mutated
from training import EXAMPLES, optimizer_of, trained

A, B = "kind: LinearLR\ntotal_steps: 1000\n", "kind: LinearLR\ntotal_steps: 2000\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder to work in, and a function that makes files in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FORCE_COLOR", raising=False)

    def make(**texts):
        for name, text in texts.items():
            (tmp_path / name).write_text(text if isinstance(text, str) else json.dumps(text))

    return make


def state(schedule, step=0, bases=(0.5,)):
    where = {"last_epoch": step, "base_lrs": list(bases), "digest": digest(schedule)}
    return schedule.model_dump(mode="json") | where


def diff(capsys, *arguments):
    """The exit status and what is printed, without blank braille at the ends of lines."""
    status = main(["diff", *arguments])
    out, error = capsys.readouterr()
    assert error == ""
    return status, [line.rstrip() for line in out.splitlines()]


def refused(capsys, *arguments):
    assert main(["diff", *arguments]) == MISUSE
    out, error = capsys.readouterr()
    assert out == ""
    return error


def test_fields_and_curves_are_told(folder, capsys):
    folder(a=A, b=B)
    status, lines = diff(capsys, "a", "b", "--base-lr", "0.5")
    assert status == PROBLEMS
    assert lines[0] == "total_steps: a has 1000, b 2000"
    assert lines[2:7] == [
        "    step   a       b        difference  of the larger",
        "    1      0.4995  0.49975  +0.00025    +0.05 %        first difference",
        "    20     0.49    0.495    +0.005      +1.01 %        first of 1 % or more",
        "    1,000  0       0.25     +0.25       +100 %         "
        "largest difference, largest relative difference",
        "    1,999  0       0.00025  +0.00025    +100 %         last difference",
    ]
    assert lines[-2:] == [
        "the curves are equal again from step 2,000 on",
        "1 field differs, the curves differ from step 1 on, with base rate 0.5",
    ]


def test_both_curves_are_drawn_if_they_can_be_told_apart(folder, capsys):
    folder(a=A, b=B, c="kind: LinearLR\ntotal_steps: 1001\n")
    assert "    ⠒⠒ a   ⠂⠂ b" in diff(capsys, "a", "b")[1]
    assert not any("⠒⠒" in line for line in diff(capsys, "a", "c")[1])


@pytest.mark.parametrize(
    "text",
    [A, "{end_lr: 0, total_steps: 1e3, kind: LinearLR}", A + "start_factor: 1.0\nend_lr: 0.0\n"],
)
def test_what_says_the_same_in_other_words_is_the_same(text, folder, capsys):
    folder(a=A, b=text)
    assert diff(capsys, "a", "b") == (FINE, ["no differences"])


def test_a_sequence_of_one_differs_in_fields_and_not_in_its_curve(folder, capsys):
    folder(a=A, b="kind: SequentialLR\nmilestones: []\nschedulers:\n- " + A.replace("\n", "\n  "))
    assert diff(capsys, "a", "b") == (
        PROBLEMS,
        [
            "kind: a has LinearLR, b SequentialLR",
            "1 field differs, the curves are equal, with base rate 1 and with base rate 0.001",
        ],
    )


def test_curves_that_are_the_same_only_with_a_base_rate_of_one_are_told_apart(folder, capsys):
    folder(
        a="{kind: LinearLR, total_steps: 9, end_lr: 0.1}",
        b="{kind: RampLR, total_steps: 9, start_factor: 1, end_factor: 0.1}",
    )
    status, lines = diff(capsys, "a", "b")
    assert status == PROBLEMS
    assert lines[-1].endswith("with base rate 0.001; with base rate 1 the curves are equal")
    assert diff(capsys, "a", "b", "--base-lr", "1")[1][-1].endswith(
        "the curves are equal, with base rate 1"
    )


def test_a_spec_and_a_state_of_it_say_the_same_and_where_the_state_stands(folder, capsys):
    folder(a=A, b=state(Linear(total_steps=1000), 250, (0.5, 0.1)))
    assert diff(capsys, "a", "b") == (
        FINE,
        ["b is at step 250: base rates 0.5, 0.1, current rates 0.375, 0.075", "no differences"],
    )


def test_a_state_brings_its_base_rate(folder, capsys):
    folder(a=A, b=state(Linear(total_steps=2000), 7, (0.25,)))
    assert diff(capsys, "a", "b")[1][-1].endswith("with base rate 0.25")
    assert diff(capsys, "a", "b", "--base-lr", "4")[1][-1].endswith("with base rate 4")


def test_states_that_only_stand_elsewhere_say_the_same(folder, capsys):
    schedule = Linear(total_steps=4)
    folder(a=state(schedule, -1), b=state(schedule, 2))
    assert diff(capsys, "a", "b") == (
        FINE,
        [
            "a has not started: base rate 0.5, current rate 0.5",
            "b is at step 2: base rate 0.5, current rate 0.25",
            "no differences except in position",
        ],
    )


def test_other_base_rates_are_a_difference_and_each_curve_has_its_own(folder, capsys):
    schedule = Linear(total_steps=4)
    folder(a=state(schedule, bases=(0.5, 0.1)), b=state(schedule, bases=(0.5, 0.2)))
    status, lines = diff(capsys, "a", "b")
    assert (status, lines[0]) == (PROBLEMS, "base_lrs[1]: a has 0.1, b 0.2")
    assert lines[-1] == (
        "1 field differs, the curves differ from step 0 on, with base rates 0.1 and 0.2; "
        "with base rate 0.5 the curves are equal"
    )


def test_what_a_plateau_remembers_is_told_and_is_no_difference(folder, capsys):
    fresh = Plateau(patience=0, factor=0.5)
    folder(a=state(fresh), b=state(fresh.observe(1.0).observe(2.0), 1))
    assert diff(capsys, "a", "b") == (
        FINE,
        [
            "best: a remembers null, b 1.0",
            "num_reductions: a remembers 0, b 1",
            "a is at step 0: base rate 0.5, current rate 0.5",
            "b is at step 1: base rate 0.5, current rate 0.25",
            "the curves are those before the first metric",
            "no differences except in position",
        ],
    )
    folder(b=state(Plateau(patience=2, factor=0.5).observe(1.0)))
    status, lines = diff(capsys, "a", "b")
    assert (status, lines[0]) == (PROBLEMS, "patience: a has 0, b 2")


def test_the_state_in_a_checkpoints_json_is_found(folder, capsys):
    inside = state(Linear(total_steps=2000), 7)
    rest = {"epoch": 1, "loss": None, "notes": [["x"]]}
    folder(a=A, b={**rest, "lr_schedulers": [inside]}, c={**rest, "s": json.dumps(inside)})
    for name in "bc":
        status, lines = diff(capsys, "a", name)
        assert (status, lines[0]) == (PROBLEMS, f"total_steps: a has 1000, {name} 2000")
        assert f"{name} is at step 7: base rate 0.5, current rate 0.49825" in lines


def test_a_state_in_a_leaf_of_text_or_beside_numbers_is_found(folder, capsys):
    inside = state(Linear(total_steps=2000), 7)
    folder(a=A, b={"s": json.dumps({"inner": [inside]})}, c={"s": [1.5, inside]})
    for name in "bc":
        status, lines = diff(capsys, "a", name)
        assert (status, lines[0]) == (PROBLEMS, f"total_steps: a has 1000, {name} 2000")


def test_a_problem_of_a_state_in_a_checkpoint_stands_where_it_is(folder, capsys):
    inside = state(Linear(total_steps=4)) | {"total_steps": 0}
    folder(a=A, b=json.dumps({"epoch": 1, "scheduler": inside}, indent=1))
    status, lines = diff(capsys, "a", "b")
    assert status == PROBLEMS
    assert lines[0] == "b:5:18: error[range]: total_steps must be at least 1, found 0"


def test_schedules_inside_of_larger_files_are_compared(folder, capsys):
    for name, steps in (("a.yaml", 10), ("b.yaml", 20)):
        folder(**{name: f"model: !x y\noptim:\n  lr: {{kind: LinearLR, total_steps: {steps}}}\n"})
    status, lines = diff(capsys, "--at", "optim.lr", "a.yaml", "b.yaml")
    assert (status, lines[0]) == (PROBLEMS, "total_steps: a.yaml has 10, b.yaml 20")


def test_problems_of_both_are_shown_as_check_shows_them(folder, capsys):
    folder(a="kind: LinearLR\ntotal_step: 4\n", b="kind: Linear\n")
    status, lines = diff(capsys, "a", "b")
    assert status == PROBLEMS
    for name in "ab":
        assert main(["check", name]) == PROBLEMS
        shown = capsys.readouterr().out.splitlines()
        assert shown[0] in lines
    assert lines[3] == "  | ^^^^^^^^^^ did you mean `total_steps`?"


def test_json_says_all_of_it_and_nothing_else(folder, capsys):
    folder(a=A, b=state(Linear(total_steps=2000), 7))
    assert main(["diff", "a", "b", "--json"]) == PROBLEMS
    said = json.loads(capsys.readouterr().out)
    assert list(said) == [
        *("same", "a", "b", "fields", "memory", "counts", "clock", "needs", "curves")
    ]
    assert said["same"] is False
    spec = {"kind": "LinearLR", "durations": []}
    assert said["a"] == {"name": "a", **spec, "last_epoch": None, "base_lrs": None}
    assert said["b"] == {"name": "b", **spec, "last_epoch": 7, "base_lrs": [0.5]}
    assert said["fields"] == [{"path": "total_steps", "a": 1000, "b": 2000, "only_in": None}]
    curves = said["curves"]
    assert curves["largest"] == {
        "step": 1000,
        "a": 0.0,
        "b": 0.25,
        "absolute": 0.25,
        "relative": 1.0,
    }
    assert curves["base_lr"] == {"a": 0.5, "b": 0.5}
    assert (curves["same"], curves["every_step"], curves["same_from"]) == (False, True, 2000)
    assert (curves["steps"], curves["looked_at"], curves["differing"]) == (2000, 2001, 1999)
    assert main(["diff", "a", "a", "--json"]) == FINE
    same = json.loads(capsys.readouterr().out)
    assert same["same"] is True
    assert list(same["curves"]) == list(curves)
    assert (same["curves"]["first"], same["curves"]["same_with"]) == (None, [[1, 1], [1e-3, 1e-3]])


def test_problems_do_not_get_into_the_json(folder, capsys):
    folder(a=A, b="kind: Linear\n")
    assert main(["diff", "a", "b", "--json"]) == PROBLEMS
    out, error = capsys.readouterr()
    assert out == ""
    assert error.startswith("b:1:7: error[unknown-kind]: ")


def test_the_steps_can_be_chosen(folder, capsys):
    folder(a=A, b=B)
    lines = diff(capsys, "a", "b", "--steps", "10")[1]
    assert "the curves still differ at step 10" in lines
    assert any("largest difference" in line and "    10 " in line for line in lines)


def test_steps_that_are_not_compared_are_told(folder, capsys):
    cosine = "{{kind: CosineAnnealingLR, T_max: 1e12, eta_min: {}}}"
    folder(a=cosine.format(0), b=cosine.format(0.1))
    lines = diff(capsys, "a", "b")[1]
    (note,) = (line for line in lines if line.startswith("only "))
    assert note.endswith("of 1,000,000,000,001 steps were compared")


def test_rounding_is_told_and_is_no_difference_of_curves(folder, capsys):
    parts = [{"kind": "WarmupLR", "warmup_steps": 9}, {"kind": "CosineAnnealingLR", "T_max": 91}]
    folder(
        a={"kind": "SequentialLR", "schedulers": parts, "milestones": [9]},
        b={"kind": "WarmupCosineScheduler", "warmup_steps": 9, "total_steps": 100},
    )
    status, lines = diff(capsys, "a", "b", "--base-lr", "0.1")
    assert status == PROBLEMS
    assert lines[-2].startswith("the curves are equal except for rounding, at most ")
    assert lines[-1] == "1 field differs, the curves are equal, with base rate 0.1"


def test_long_lists_of_fields_and_of_values_are_cut(folder, capsys):
    several = {"kind": "MultiStepLR", "milestones": list(range(1, 101))}
    moved = {"kind": "MultiStepLR", "milestones": list(range(2, 102))}
    folder(a=several, b=moved)
    lines = diff(capsys, "a", "b")[1]
    assert lines[0] == "milestones[0]: a has 1, b 2"
    assert lines[20] == "... and 80 more fields"


def test_pictures_of_both_are_written(folder, tmp_path, capsys):
    folder(a=A, b=B)
    status, lines = diff(capsys, "a", "b", "--png", "x.png", "--svg", "x.svg")
    assert status == PROBLEMS
    assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")
    assert "<svg" in (tmp_path / "x.svg").read_text()
    assert not any("⠒⠒" in line for line in lines)
    assert lines[-1].startswith("1 field differs")


def test_a_picture_names_both_curves_and_the_difference(folder, tmp_path, monkeypatch, capsys):
    folder(**{"_a$x$.yaml": A, "b.yaml": B})
    diff(capsys, "_a$x$.yaml", "b.yaml", "--svg", "x.svg")
    drawn = (tmp_path / "x.svg").read_text()
    for text in (
        ">_a$x$.yaml<",
        ">b.yaml<",
        ">learning rate<",
        ">learning rate: difference<",
        ">optimizer step<",
    ):
        assert text in drawn


def test_of_files_with_one_name_the_folders_are_told(folder, tmp_path, capsys):
    for name, text in (("one", A), ("two", B)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.yaml").write_text(text)
    folder(b=B)
    first = diff(capsys, "one/a.yaml", "two/a.yaml")[1][0]
    assert first == "total_steps: one/a.yaml has 1000, two/a.yaml 2000"
    assert diff(capsys, "one/a.yaml", "b")[1][0] == "total_steps: a.yaml has 1000, b 2000"


def test_names_cannot_move_the_cursor(folder, capsys):
    folder(**{"a\x1b[2J": A, "b": B})
    status, lines = diff(capsys, "a\x1b[2J", "b")
    assert (status, lines[0]) == (PROBLEMS, "total_steps: a�[2J has 1000, b 2000")


def test_standard_input_is_a_dash(folder):
    folder(a=A)
    done = process(f"{sys.executable} -m olm diff a -", input=A)
    assert (done.returncode, done.stdout, done.stderr) == (FINE, "no differences\n", "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["a"], "expected two files, found 1: olm diff A B, or olm diff --git REV FILE"),
        (["a", "a", "a"], "expected two files, found 3"),
        (["--git", "HEAD", "a", "a"], "expected one file, found 2"),
        (["-", "-"], "one of the two can be standard input, and neither with"),
        (
            ["--git", "HEAD", "-"],
            "one of the two can be standard input, and neither with",
        ),
        (["a", "nothing"], "no such file: nothing"),
        (["a", "."], ". is a folder: write its state as JSON first, with olm state . --out"),
        (["a", "torch.pt"], "torch.pt is not text: write its state as JSON first, with olm state"),
        (["a", "theirs"], "theirs contains no state of olm's: write its state as JSON first"),
        (["a", "several"], "several has several states, x, y[0]: write one of them, with olm"),
        (["a", "a", "--base-lr", "-1"], "must be finite and at least 0, found -1"),
        (["a", "a", "--at", "x["], "expected a place such as"),
        (["a", "a", "--png", "a/x.png"], "a/x.png: Not a directory"),
        ([], "expected two files, found 0: olm diff A B, or olm diff --git REV FILE"),
    ],
)
def test_wrong_use_is_told_in_a_line(arguments, message, folder, tmp_path, capsys):
    inside = state(Linear(total_steps=4))
    theirs = {"epoch": 1, "sched": {"gamma": 0.9, "base_lrs": [1.0], "last_epoch": 3}}
    folder(a=A, theirs=theirs, several={"x": inside, "y": [inside]})
    (tmp_path / "torch.pt").write_bytes(b"PK\x03\x04")
    assert message in refused(capsys, *arguments)


def test_without_matplotlib_a_picture_says_what_to_install(folder, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    folder(a=A, b=B)
    assert "pip install 'olm-schedules[plot]'" in refused(capsys, "a", "b", "--png", "x.png")


def test_a_rate_that_overflows_is_a_problem_of_the_spec(folder, capsys):
    folder(a=A, b="{kind: ConstantLR, factor: 1e300}")
    assert main(["diff", "a", "b", "--base-lr", "1e300"]) == PROBLEMS
    assert "ConstantLR: the rate at step 0 would be inf" in capsys.readouterr().err


W = "kind: WarmupCosineScheduler\nwarmup_steps: {}\ntotal_steps: 100%\n".format
CLOCK = "clock: {{total_steps: {}}}\n".format
NOT_COMPARED = "the curves were not compared: {} durations that need a clock (give {})".format


def resumable(spec, **clock):
    """The state of a spec, some steps on, by a clock."""
    counted = olm.loads(spec).resolve(olm.Clock(**clock))
    where = {"last_epoch": 7, "base_lrs": [0.5], "digest": digest(counted.schedule)}
    return counted.model_dump() | where


def test_without_a_clock_fields_are_compared_and_it_is_said_what_the_curves_want(folder, capsys):
    folder(a=W("3%"), b=W("5%"), c=W("2ep"), d=W(50) + CLOCK(1000))
    assert diff(capsys, "a", "b") == (
        PROBLEMS,
        [
            "warmup_steps: a has 3%, b 5%",
            NOT_COMPARED("a and b have", "--total-steps"),
            "1 field differs",
        ],
    )
    assert (
        NOT_COMPARED("b and c have", "--total-steps and --steps-per-epoch")
        in diff(capsys, "b", "c")[1]
    )
    assert diff(capsys, "b", "d")[1] == [
        "warmup_steps: b has 5%, d 50",
        "clock.total_steps: only d has it, 1000",
        NOT_COMPARED("b has", "--total-steps"),
        "1 field differs",
    ]


@pytest.mark.parametrize("other", ["0.03dur", "3.0%", "3e0%"])
def test_one_duration_in_two_writings_is_the_same(other, folder, capsys):
    folder(a=W("3%"), b=W(other))
    assert diff(capsys, "a", "b") == (
        FINE,
        [NOT_COMPARED("a and b have", "--total-steps"), "no differences"],
    )
    assert diff(capsys, "a", "b", "--total-steps", "1e4") == (FINE, ["no differences"])


def test_the_clock_of_the_command_line_counts_for_both(folder, capsys):
    folder(a=W("3%"), b=W("300") + CLOCK(500))
    status, lines = diff(capsys, "a", "b", "--total-steps", "10000")
    assert (status, lines) == (
        PROBLEMS,
        [
            "warmup_steps: a has 3% (300 steps), b 300",
            "clock.total_steps: only b has it, 500",
            "1 field differs, the curves are equal, with base rate 1 and with base rate 0.001",
        ],
    )


def test_each_curve_is_counted_by_the_clock_of_its_own_spec(folder, capsys):
    folder(a=W("10%") + CLOCK(1000), b=W("10%") + CLOCK(2000), c=W("100") + CLOCK(1000))
    status, lines = diff(capsys, "a", "b", "--base-lr", "0.5")
    assert status == PROBLEMS
    assert lines[:3] == [
        "warmup_steps: 10% is 100 steps in a, 200 steps in b",
        "total_steps: 100% is 1,000 steps in a, 2,000 steps in b",
        "clock.total_steps: a has 1000, b 2000",
    ]
    curves = "the curves differ from step 0 on, with base rate 0.5"
    assert lines[-1] == f"only the run length differs, {curves}"
    assert diff(capsys, "a", "c")[1][0] == "warmup_steps: a has 10% (100 steps), c 100"
    numbers = W("100").replace("100%", "1000"), W("200").replace("100%", "2000")
    folder(a2=numbers[0], b2=numbers[1])
    by_hand = diff(capsys, "a2", "b2", "--base-lr", "0.5")[1]
    table = [line.replace("a2", "a ").replace("b2", "b ") for line in by_hand if "  0 " in line]
    assert table[0] in lines


def test_written_alike_for_other_runs_is_not_known_to_be_the_same(folder, capsys):
    folder(a=W("2ep") + CLOCK(1000), b=W("2ep") + CLOCK(2000))
    assert diff(capsys, "a", "b") == (
        PROBLEMS,
        [
            "clock.total_steps: a has 1000, b 2000",
            NOT_COMPARED("a and b have", "--steps-per-epoch"),
            "no differences except in the clock",
        ],
    )


def test_another_clock_that_counts_nothing_is_told_and_is_no_difference(folder, capsys):
    folder(a=W("3").replace("100%", "9") + CLOCK(1000), b=W("3").replace("100%", "9"))
    assert diff(capsys, "a", "b") == (
        FINE,
        ["clock.total_steps: only a has it, 1000", "no differences"],
    )


def test_a_state_is_compared_as_it_was_written_and_as_it_was_counted(folder, capsys):
    folder(a=W("10%"), b=resumable(W("10%"), total_steps=1000), c=W("20%"))
    assert diff(capsys, "a", "b", "--total-steps", "1000")[0] == FINE
    assert diff(capsys, "a", "b")[1][1:] == [
        NOT_COMPARED("a has", "--total-steps"),
        "no differences",
    ]
    status, lines = diff(capsys, "a", "b", "--total-steps", "3000")
    assert (status, lines[0]) == (
        PROBLEMS,
        "warmup_steps: 10% is 300 steps in a, 100 steps in b",
    )
    assert lines[-1].startswith("only the run length differs, the curves differ from step 0 on")
    lines = diff(capsys, "c", "b", "--total-steps", "1000")[1]
    assert lines[0] == "warmup_steps: c has 20% (200 steps), b 10% (100 steps)"
    folder(longer=resumable(W("10%"), total_steps=2000))
    lines = diff(capsys, "b", "longer")[1]
    assert lines[0] == "warmup_steps: 10% is 100 steps in b, 200 steps in longer"


def test_json_has_durations_as_text_and_as_steps(folder, capsys):
    folder(a=W("3%"), b=W("5%") + CLOCK(1000))
    assert main(["diff", "a", "b", "--json"]) == PROBLEMS
    said = json.loads(capsys.readouterr().out)
    assert said["fields"] == [{"path": "warmup_steps", "a": "3%", "b": "5%", "only_in": None}]
    assert said["a"]["durations"] == [
        {"path": "warmup_steps", "written": "3%", "steps": None},
        {"path": "total_steps", "written": "100%", "steps": None},
    ]
    assert [one["steps"] for one in said["b"]["durations"]] == [50, 1000]
    assert said["clock"] == [{"path": "clock.total_steps", "a": None, "b": 1000, "only_in": "b"}]
    assert (said["needs"], said["curves"], said["counts"]) == (["total_steps"], None, [])
    assert main(["diff", "a", "b", "--json", "--total-steps", "100"]) == PROBLEMS
    said = json.loads(capsys.readouterr().out)
    assert (said["needs"], said["curves"]["steps"]) == ([], 100)


def test_without_curves_there_is_nothing_to_draw(folder, capsys):
    folder(a=W("3%"), b=W("5%"))
    assert NOT_COMPARED("a and b have", "--total-steps") in refused(
        capsys, "a", "b", "--svg", "x.svg"
    )


def test_what_comes_out_wrong_in_steps_is_a_problem_with_its_place(folder, capsys):
    folder(a=W("3%"), b=W("1500"))
    status, lines = diff(capsys, "a", "b", "--total-steps", "1000")
    assert (status, lines[0]) == (
        PROBLEMS,
        "b:2:15: error[rule]: warmup_steps (1500) must be below total_steps (1000)",
    )


def test_a_clock_that_no_run_has_is_refused(folder, capsys):
    folder(a=W("3%"))
    message = "olm diff: --total-steps: total_steps must be at least 1, found 0\n"
    assert refused(capsys, "a", "a", "--total-steps", "0") == message


def process(command, **options):
    return subprocess.run(["bash", "-c", command], capture_output=True, text=True, **options)


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A git repository in which a spec was changed, with a file that came later."""
    monkeypatch.chdir(tmp_path)
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    who = "-c user.name=Ada -c user.email=ada@example.com"
    (tmp_path / "specs").mkdir()
    spec = tmp_path / "specs" / "größe 1.olm.yaml"
    spec.write_text(A)
    done = process(f"git init -q . && git add . && git {who} commit -qm one && git tag v1")
    assert (done.returncode, done.stderr) == (0, "")
    spec.write_text("kind: LinearLR\ntotal_step: 5\n")
    assert process(f"git {who} commit -qam two").returncode == 0
    spec.write_text(B)
    (tmp_path / "specs" / "new.olm.yaml").write_text(A)
    return tmp_path / "specs"


def test_a_file_is_compared_with_how_it_was_at_a_revision(repository, monkeypatch, capsys):
    status, lines = diff(capsys, "--git", "v1", "specs/größe 1.olm.yaml")
    assert (status, lines[0]) == (PROBLEMS, "total_steps: v1 has 1000, now 2000")
    assert lines[-1] == ("1 field differs, the curves differ from step 1 on, with base rate 1")
    monkeypatch.chdir(repository)
    assert diff(capsys, "--git", "HEAD~1", "größe 1.olm.yaml")[0] == PROBLEMS
    (repository / "größe 1.olm.yaml").write_text("# the same\n" + A)
    assert diff(capsys, "--git", "v1", "größe 1.olm.yaml") == (FINE, ["no differences"])
    monkeypatch.chdir("/")
    assert diff(capsys, "--git", "v1", str(repository / "größe 1.olm.yaml"))[0] == FINE


def test_durations_are_compared_with_how_they_were(repository, capsys):
    path = repository / "größe 1.olm.yaml"
    path.write_text("kind: LinearLR\ntotal_steps: 100%\nclock: {total_steps: 1000}\n")
    assert diff(capsys, "--git", "v1", "specs/größe 1.olm.yaml") == (
        PROBLEMS,
        [
            "total_steps: v1 has 1000, now 100% (1,000 steps)",
            "clock.total_steps: only now has it, 1000",
            "1 field differs, the curves are equal, with base rate 1 and with base rate 0.001",
        ],
    )


def test_the_problems_of_a_revision_stand_in_it(repository, capsys):
    status, lines = diff(capsys, "--git", "HEAD", "specs/größe 1.olm.yaml")
    assert status == PROBLEMS
    assert lines[0].startswith("HEAD:specs/größe 1.olm.yaml:2:1: error[unknown-field]: ")


@pytest.mark.parametrize(
    ("revision", "name", "message"),
    [
        ("v2", "größe 1.olm.yaml", "no such revision in the repository of {}: v2"),
        ("", "größe 1.olm.yaml", "no such revision in the repository of {}: "),
        ("v1:specs", "größe 1.olm.yaml", "no such revision in the repository of {}: v1:specs"),
        ("--all", "größe 1.olm.yaml", "no such revision in the repository of {}: --all"),
        ("v1", "new.olm.yaml", "no such file at v1: {}"),
    ],
)
def test_what_git_does_not_have_is_told(revision, name, message, repository, capsys):
    path = f"specs/{name}"
    assert message.format(path) in refused(capsys, f"--git={revision}", path)


def test_a_file_outside_of_a_repository_is_told(folder, monkeypatch, tmp_path, capsys):
    folder(a=A)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    error = refused(capsys, "--git", "HEAD", "a")
    assert error.startswith("olm diff: a is not in a readable git repository (fatal: not a git")


def test_without_git_it_says_so(folder, monkeypatch, tmp_path, capsys):
    folder(a=A)
    monkeypatch.setenv("PATH", str(tmp_path))
    error = refused(capsys, "--git", "HEAD", "a")
    assert error == "olm diff: --git needs the program git, which is not installed\n"


def test_nothing_of_torch_is_imported(folder):
    folder(a=A, b=B)
    code = "import sys; from olm.cli import main; main(['diff', 'a', 'b']); "
    done = process(f"{sys.executable} -c \"{code} sys.exit('torch' in sys.modules)\"")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_state_that_was_saved_and_one_written_by_hand_are_compared(folder, capsys):
    folder(
        spec=A,
        b=A + f"last_epoch: 3\nbase_lrs: [0.5]\ndigest: {digest(Linear(total_steps=1000))}\n",
    )
    scheduler = olm.build("spec", optimizer_of(0.5))
    trained(scheduler, 3)
    olm.save_state(scheduler, "a")
    stands = "is at step 3: base rate 0.5, current rate 0.4985"
    said = [f"a {stands}", f"b {stands}", "no differences"]
    assert diff(capsys, "a", "b") == (FINE, said)
    assert diff(capsys, "spec", "a") == (FINE, [said[0], said[2]])


def test_a_long_comparison_says_on_a_terminal_how_far_it_is(folder, monkeypatch, capsys):
    folder(a=A, b=B.replace("2000", "2e6"))
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert main(["diff", "a", "b", "--base-lr", "1"]) == PROBLEMS
    told = capsys.readouterr().err
    assert told.startswith("\r0 of 2,000,001 steps\r524,288 of 2,000,001 steps\r")
    assert told.endswith("\r\x1b[K")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(mutated(), mutated())
def test_whatever_is_compared_ends_with_0_or_1_and_a_word_on_it(folder, capsys, one, other):
    folder(a=one, b=other)
    fine = all(map(can_be_loaded, "ab"))
    # What the example before printed last.
    capsys.readouterr()
    status = main(["diff", "a", "b", "--steps", "300"])
    out, error = capsys.readouterr()
    assert status in ((FINE, PROBLEMS) if fine else (FINE, PROBLEMS, MISUSE))
    assert bool(out) != bool(error)
    assert main(["diff", "a", "a", "--steps", "300"]) == FINE or error or not fine


def can_be_loaded(path):
    try:
        return bool(olm.load(path))
    except olm.SpecError:
        return False


TARGETS = """\
kind: LinearLR
total_steps: 100
also:
  - set: lr
    groups: head
    scaled_by: {kind: TableLR, milestones: [0, 2ep], factors: [0.0, 1.0]}
  - set: weight_decay
    schedule: {kind: RampLR, total_steps: 100, end_factor: 10.0}
  - value: ema
    schedule: {kind: RampLR, total_steps: 100%, start_factor: 0.9, end_factor: 1.0}
param_groups: [decay, {name: no_decay, weight_decay: 0}, head]
optimizer: {lr: 0.1, weight_decay: 0.04}
clock: {total_steps: 100, steps_per_epoch: 2}
"""


def test_each_target_that_differs_has_a_section_and_the_equal_ones_a_line(folder, capsys):
    other = TARGETS.replace("10.0", "5.0").replace("2ep", "3ep")
    folder(a=TARGETS, b=other.replace("value: ema", "value: temp"))
    assert diff(capsys, "a", "b") == (
        PROBLEMS,
        [
            "lr of head",
            "  scaled_by.milestones[1]: a has 2ep (4 steps), b 3ep (6 steps)",
            "  the curves part at step 4, most there: 0.096 and 0, with base 0.1",
            "  the curves are equal again from step 6 on",
            "weight_decay",
            "  schedule.end_factor: a has 10.0, b 5.0",
            "  the curves part at step 1, most at step 100: 0.4 and 0.2, with base 0.04",
            "  the curves still differ at step 125",
            "- ema  (only in a)",
            "+ temp  (only in b)",
            "lr: equal",
            "4 of 5 schedules differ",
        ],
    )


def test_the_learning_rate_has_a_section_with_its_table(folder, capsys):
    folder(a=TARGETS, b=TARGETS.replace("total_steps: 100\n", "total_steps: 50\n"))
    status, lines = diff(capsys, "a", "b")
    assert status == PROBLEMS
    assert lines[:2] == ["lr", "  total_steps: a has 100, b 50"]
    assert lines[4].startswith("      1     0.099  0.098  -0.001 ")
    assert lines[-4:] == [
        "  the curves part at step 4, most at step 50: 0.05 and 0, with base 0.1",
        "  the curves are equal again from step 100 on",
        "weight_decay, ema: equal",
        "2 of 4 schedules differ",
    ]


def test_targets_in_another_order_are_the_same(folder, capsys):
    document = olm.loads(TARGETS).model_dump()
    document["also"].reverse()
    folder(a=TARGETS, b=document)
    assert diff(capsys, "a", "b") == (
        FINE,
        ["lr, lr of head, weight_decay, ema: equal", "no differences"],
    )


def test_a_spec_with_targets_equals_its_state_and_differs_from_one_with_other_bases(folder, capsys):
    spec = olm.loads(TARGETS).resolve()
    document = spec.model_dump()
    del document["optimizer"]
    document["param_groups"] = ["decay", "no_decay", "head"]
    document["also"][1]["bases"] = [0.04, 0.0, 0.04]
    position = {"last_epoch": 7, "base_lrs": [0.1, 0.1, 0.1]}
    document |= position | {"digest": digest(spec.schedule, spec.also)}
    folder(a=TARGETS, b=document)
    assert diff(capsys, "a", "b")[0] == FINE
    document["also"][1]["bases"] = [0.05, 0.0, 0.04]
    folder(c=document)
    status, lines = diff(capsys, "b", "c")
    assert status == PROBLEMS
    assert lines[:4] == [
        "weight_decay",
        "  bases[0]: b has 0.04, c 0.05",
        "  the curves part at step 0, most at step 100: 0.4 and 0.5, with bases 0.04 and 0.05",
        "  the curves still differ at step 125",
    ]


def test_other_param_groups_and_numbers_of_the_optimizer_are_differences_of_no_target(
    folder, capsys
):
    folder(a=TARGETS, b=TARGETS.replace("[decay", "[decays"))
    status, lines = diff(capsys, "a", "b")
    assert status == PROBLEMS
    assert lines[0] == "param_groups[0]: a has decay, b decays"
    assert lines[-1] == "1 field differs, the schedules are equal"
    folder(b=TARGETS.replace("lr: 0.1", "lr: 0.2"))
    status, lines = diff(capsys, "a", "b")
    assert status == PROBLEMS
    assert lines[0] == "optimizer.lr: a has 0.1, b 0.2"


def test_a_document_without_targets_lacks_those_of_the_other(folder, capsys):
    folder(a="kind: LinearLR\ntotal_steps: 100\n", b=TARGETS)
    status, lines = diff(capsys, "a", "b")
    assert status == PROBLEMS
    assert [line for line in lines if "only in" in line] == [
        "+ lr of head  (only in b)",
        "+ weight_decay  (only in b)",
        "+ ema  (only in b)",
    ]
    assert lines[-1] == "3 of 4 schedules differ"


def test_bases_of_targets_can_be_chosen(folder, capsys):
    folder(a=TARGETS, b=TARGETS.replace("10.0", "5.0"))
    lines = diff(capsys, "a", "b", "--base", "weight_decay=0.1")[1]
    assert lines[2].endswith("most at step 100: 1 and 0.5, with base 0.1")
    assert "--base eps" in refused(capsys, "a", "b", "--base", "eps=1")


def test_json_has_the_targets_and_a_picture_those_that_differ(folder, tmp_path, capsys):
    folder(a=TARGETS, b=TARGETS.replace("10.0", "5.0").replace("value: ema", "value: temp"))
    assert main(["diff", "a", "b", "--json", "--svg", "both.svg"]) == PROBLEMS
    targets = json.loads(capsys.readouterr().out)["targets"]
    assert [(one["target"], one["same"], one["only_in"]) for one in targets] == [
        ("lr of head", True, None),
        ("weight_decay", False, None),
        ("ema", False, "a"),
        ("temp", False, "b"),
    ]
    assert targets[1]["fields"] == [
        {"path": "schedule.end_factor", "a": 10.0, "b": 5.0, "only_in": None}
    ]
    assert targets[1]["curves"]["largest"]["step"] == 100
    assert "weight_decay" in (tmp_path / "both.svg").read_text()


def test_without_a_clock_the_fields_of_targets_are_compared(folder, capsys):
    text = TARGETS.replace("clock", "# clock")
    folder(a=text, b=text.replace("2ep", "3ep"))
    status, lines = diff(capsys, "a", "b")
    assert status == PROBLEMS
    assert lines[:2] == ["lr of head", "  scaled_by.milestones[1]: a has 2ep, b 3ep"]
    assert (
        "have durations that need a clock (give --steps-per-epoch and --total-steps)" in lines[-2]
    )
    assert lines[-1] == "1 of 4 schedules differs"


@pytest.mark.parametrize("document", EXAMPLES)
@pytest.mark.parametrize("key", ["set", "value"])
def test_every_kind_can_be_the_schedule_of_a_target(document, key, folder, capsys):
    target = {key: "weight_decay" if key == "set" else "ema", "schedule": document}
    spec = {"kind": "HoldLR", "also": [target]}
    folder(a=spec, b=spec, c={"kind": "HoldLR", "also": [{**target, "base": 0.3}]})
    assert diff(capsys, "a", "b")[0] == FINE
    assert diff(capsys, "a", "c")[0] == PROBLEMS
    assert main(["show", "a"]) == FINE
    out = capsys.readouterr().out
    assert f"also  {target.get('set', 'ema')}  {document['kind']}: " in out
    assert "rate" not in out.split("    step ")[0].split("also")[1]
