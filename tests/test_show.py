"""``olm show``: the words, the curve, the steps that people ask about, and the files it writes."""

import csv
import math
import re
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

import olm
from olm.cli import FINE, MISUSE, PIPE_CLOSED, PROBLEMS, main
from olm.drawing.axis import NEEDS, axes
from olm.drawing.braille import PER_DOT, chart, columns, drawn
from olm.fields.durations import UNITS
from olm.fields.types import step_fields
from olm.kinds import KINDS
from olm.schedule.clock import Clock
from olm.schedule.showing.key_steps import key_steps
from olm.schedule.showing.sentence import in_words, sentence
from olm.spec.digest import digest
from training import EXAMPLES

LINEAR = "kind: LinearLR\ntotal_steps: 4\n"
TOKENS = "kind: WarmupCosineScheduler\nwarmup_steps: 3%\ntotal_steps: 400e9tok\n"
LARGE = ["--total-steps", "100000", "--tokens-per-step", "4e6"]
ALL = [*LARGE, "--steps-per-epoch", "5000", "--samples-per-step", "1024"]
SVG = "{http://www.w3.org/2000/svg}"

UNITS_OF_AXES = {"optimizer step", *(unit.plural for unit in UNITS.values() if unit.axis)}


@pytest.fixture
def linear(tmp_path):
    path = tmp_path / "linear.olm.yaml"
    path.write_text(LINEAR)
    return str(path)


@pytest.fixture
def show(tmp_path, capsys):
    """The command on a text; it gives the status, and what was written to both streams."""

    def shown(text, *arguments):
        path = tmp_path / "a.olm.yaml"
        path.write_text(text)
        status = main(["show", str(path), *arguments])
        return status, *capsys.readouterr()

    return shown


def table(page, above):
    """The cells of the table in a page whose heading begins with a word."""
    lines = page.splitlines()
    first = next(n for n, line in enumerate(lines) if line.strip().startswith(f"{above}  "))
    rows = [line.strip() for line in lines[first:]]
    return [re.split(r"  +", row) for row in rows[: (*rows, "").index("")]]


def ticks_below(page):
    """The columns and labels of the ticks below the curve, and the unit behind them."""
    lines = page.splitlines()
    line = next(n for n, line in enumerate(lines) if "└" in line)
    start = lines[line].index("└") + 1
    columns = [at - start for at, character in enumerate(lines[line]) if character == "┬"]
    return columns, lines[line + 1].strip()


def texts_of(path):
    """What a picture says, what it says under the pointer last."""
    root = ElementTree.parse(path).getroot()
    assert root.tag == f"{SVG}svg"
    return [node.text for name in ("text", "title") for node in root.iter(f"{SVG}{name}")]


def below(path):
    """The labels of the ticks of the whole run, and its unit."""
    texts = texts_of(path)
    unit = max(n for n, text in enumerate(texts) if text in UNITS_OF_AXES)
    first = max(n for n, text in enumerate(texts[:unit]) if text.split()[0] == "0")
    return texts[first : unit + 1]


@pytest.mark.parametrize("document", EXAMPLES)
def test_every_kind_can_be_shown(document, tmp_path, capsys):
    path = tmp_path / "a.olm.json"
    path.write_text(olm.parse(document).model_dump_json())
    assert main(["show", str(path), "--base-lr", "0.1"]) == FINE
    page = capsys.readouterr().out
    assert page.startswith(f"{document['kind']}: ")
    assert "first step" in page
    ends = olm.parse(document).schedule.ends_at() is not None
    assert ("final rate, held" in page) == ("last training step" in page) == ends


def test_the_words_name_every_part_with_the_step_at_which_it_takes_over():
    spec = olm.parse({"kind": "SequentialLR", **KINDS["SequentialLR"].examples[0]})
    assert list(in_words(spec.schedule)) == [
        "SequentialLR: one after another, each from its own step 0.",
        "  from step 0 on, WarmupLR: up from 0 to the base rate in 10 steps, which holds.",
        "  from step 10 on, CosineAnnealingLR: half a cosine from the base rate to 1e-05 "
        "at step 90, which holds.",
    ]


def test_the_key_steps_of_a_long_schedule_are_exact():
    schedule = KINDS["WarmupCosineScheduler"](warmup_steps=2000, total_steps=10**9, min_lr=3e-5)
    found = {key.why: key for key in key_steps(schedule, 3e-4, 10**9)}
    assert found["peak"][:2] == (1999, 3e-4)
    middle = found["halfway down"]
    assert middle.rate <= (3e-4 + 3e-5) / 2 < schedule.lr(middle.step - 1, 3e-4)
    assert found["final rate, held"][:2] == (10**9, 3e-5)


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
    assert "State at step 3, with base rate 4.0e-01." in page
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
        (["nothing.olm.yaml"], "no such file: nothing.olm.yaml"),
        (["{linear}", "--base-lr", "-1"], "must be finite and at least 0, found -1"),
        (["{linear}", "--base-lr", "nan"], "must be finite and at least 0, found nan"),
        (["{linear}", "--base-lr", "much"], "--base-lr: 'much' is not a valid value"),
        (["{linear}", "--steps", "0"], "must be whole and at least 1, found 0"),
        (["{linear}", "--steps", "1.5"], "must be whole and at least 1, found 1.5"),
        (["{linear}", "--csv", "{linear}/rates.csv"], "Not a directory"),
        ([], "FILE is missing: `olm show --help` describes it"),
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


def test_durations_are_a_table_in_all_that_the_clock_knows(show):
    status, page, told = show(TOKENS, *ALL)
    assert (status, told) == (FINE, "")
    assert page.startswith("WarmupCosineScheduler: up from 0 to the base rate in 3,000 steps")
    assert table(page, "field") == [
        ["field", "as written", "steps", "epochs", "samples", "tokens", "of the run"],
        ["warmup_steps", "3%", "3,000", "0.6", "3.072M", "12.0B", "3 %"],
        ["total_steps", "400e9tok", "100,000", "20", "102.4M", "400.0B", "100 %"],
    ]


def test_a_table_of_durations_has_no_column_that_nobody_knows_and_says_what_was_rounded(show):
    _, page, _ = show("kind: LinearLR\ntotal_steps: 2.5ep\n", "--steps-per-epoch", "33")
    assert table(page, "field") == [
        ["field", "as written", "steps", "epochs"],
        ["total_steps", "2.5ep", "83", "2.515", "rounded up from 82.5"],
    ]
    assert "field" not in show(LINEAR, *ALL)[1]


@pytest.mark.parametrize(
    ("unit", "columns", "labels", "last"),
    [
        ("steps", [0, 32, 63], "0 50,000 100,000", []),
        ("epochs", [0, 16, 32, 47, 63], "0 5 10 15 20 epochs", ["20"]),
        ("samples", [0, 12, 25, 37, 49, 62], "0 20M 40M 60M 80M 100M samples", ["102.4M"]),
        ("tokens", [0, 16, 32, 47, 63], "0 100B 200B 300B 400B tokens", ["400.0B"]),
        ("percent", [0, 13, 25, 38, 50, 63], "0% 20% 40% 60% 80% 100% of the run", ["100 %"]),
    ],
)
def test_the_axis_is_in_the_unit_that_is_asked_for(unit, columns, labels, last, show):
    _, page, _ = show(TOKENS, *ALL, "--axis", unit)
    found, below = ticks_below(page)
    assert (found, " ".join(below.replace(" %", "%").split())) == (columns, labels)
    heading, *_, end = table(page, "step")
    assert end[: 1 + len(last)] == ["100,000", *last]
    assert heading[1:-2] == ([] if unit == "steps" else [axes_of_all()[unit].name])


def axes_of_all():
    known = {"total_steps": 100_000, "steps_per_epoch": 5000, "samples_per_step": 1024}
    return axes(Clock(**known, tokens_per_step=4e6))


def test_an_axis_is_there_for_whatever_a_clock_knows_and_for_nothing_else():
    assert list(axes_of_all()) == list(NEEDS)
    for unit, field in NEEDS.items():
        assert list(axes(Clock(**{field: 10} if field else {}))) == [
            *dict.fromkeys(["steps", unit])
        ]


@given(
    st.sampled_from([*NEEDS]),
    st.integers(1, 2**53),
    st.floats(1, 2**53),
    st.integers(4, 10),
)
def test_ticks_are_round_numbers_at_equal_distances_up_to_the_end(unit, steps, per, most):
    known = {"total_steps": math.ceil(per)} if unit == "percent" else {NEEDS[unit]: per}
    axis = axes(Clock(**known if NEEDS[unit] else {}))[unit]
    places, end = axis.ticks(steps, most), steps * axis.per_step
    distance = places[1]
    assert places == [distance * index for index in range(len(places))]
    assert places[-1] <= end < places[-1] + distance
    assert len(places) <= most + 1
    digits = f"{float(distance):.6e}".split("e")[0].rstrip("0").rstrip(".")
    assert digits in ("1", "2", "2.5", "5")
    assert distance.denominator == 1 or not axis.is_whole


@pytest.mark.parametrize(
    ("unit", "needs"),
    [(unit, field.replace("_", "-")) for unit, field in NEEDS.items() if field],
)
def test_an_axis_that_the_clock_does_not_know_is_misuse_and_says_what_would_do(unit, needs, show):
    status, out, told = show(LINEAR, "--axis", unit)
    assert (status, out) == (MISUSE, "")
    field = needs.replace("-", "_")
    said = f"--axis {unit} needs --{needs}, or `clock: {{{field}: ...}}` in FILE"
    assert told == f"olm show: {said}\n"
    assert show(LINEAR, "--axis", unit, f"--{needs}", "8")[::2] == (FINE, "")
    assert show(f"{LINEAR}clock: {{{field}: 8}}\n", "--axis", unit)[::2] == (FINE, "")


def test_a_picture_has_round_numbers_in_its_unit(show, tmp_path):
    svg = str(tmp_path / "a.svg")
    assert show(TOKENS, *ALL, "--axis", "tokens", "--svg", svg) == (FINE, "", "")
    assert below(svg) == ["0", "100B", "200B", "300B", "400B", "tokens"]
    show(TOKENS, *ALL, "--axis", "percent", "--svg", svg)
    assert below(svg) == [*(f"{percent} %" for percent in range(0, 101, 20)), "of the run"]
    show(TOKENS, *ALL, "--svg", svg)
    steps = [f"{step:,}" for step in range(0, 100_001, 20_000)]
    assert below(svg) == [*steps, "optimizer step"]


@pytest.mark.parametrize("unit", [*NEEDS])
def test_the_curve_of_a_picture_is_that_of_the_steps_whatever_the_unit(unit, show, tmp_path):
    svg = tmp_path / "a.svg"
    show(TOKENS, *ALL, "--axis", unit, "--svg", str(svg))
    longest = max(
        (path.get("d", "") for path in ElementTree.parse(svg).iter(f"{SVG}path")), key=len
    )
    across, down = np.array(re.findall(r"-?[0-9.]+", longest), float).reshape(-1, 2).T
    share = (across - across.min()) / np.ptp(across)
    rates = (down.max() - down) / np.ptp(down)
    schedule = olm.loads(TOKENS).resolve(Clock(total_steps=100_000, tokens_per_step=4e6)).schedule
    assert len(share) > 20
    # Places are rounded to a tenth of a pixel, of about 700 across and 220 down.
    assert np.allclose(schedule.lr((share * 100_000).round(), 1.0), rates, rtol=0, atol=1e-3)


def test_a_picture_of_one_step_has_no_tick_between(show, tmp_path):
    svg = str(tmp_path / "a.svg")
    show("kind: LinearLR\ntotal_steps: 1\n", "--svg", svg)
    assert below(svg) == ["0", "1", "optimizer step"]


def test_the_csv_has_a_column_for_the_axis_that_is_exact(show):
    lines = show(LINEAR, "--csv", "-", "--axis", "tokens", "--tokens-per-step", "9e15")[1]
    assert lines.splitlines()[0] == "step,lr,tokens"
    rows = [*csv.DictReader(lines.splitlines())]
    assert [int(row["tokens"]) for row in rows] == [step * 9 * 10**15 for step in range(5)]
    lines = show(LINEAR, "--csv", "-", "--axis", "percent", "--total-steps", "7")[1]
    rows = [*csv.DictReader(lines.splitlines())]
    assert [float(row["percent"]) for row in rows] == [100 * step / 7 for step in range(8)]
    assert show(LINEAR, "--csv", "-", "--axis", "steps")[1].splitlines()[0] == "step,lr"


def test_the_clock_of_a_spec_is_used_and_options_win_and_say_so_in_a_line(show):
    text = f"{TOKENS}clock: {{total_steps: 1000, tokens_per_step: 400.0e+6}}\n"
    status, page, told = show(text)
    assert (status, told) == (FINE, "")
    assert table(page, "field")[1][:4] == ["warmup_steps", "3%", "30", "12.0B"]
    status, page, told = show(text, *LARGE)
    assert status == FINE
    assert told.count("\n") == 1
    for words in (
        "total_steps: the spec was written for 1,000, this run has 100,000",
        "400,000,000",
    ):
        assert words in told
    assert table(page, "field")[1][:4] == ["warmup_steps", "3%", "3,000", "12.0B"]
    assert show(text, "--total-steps", "1000")[2] == ""


IN_RUN = "warmup_steps: 3% needs total_steps (--total-steps N)"
IN_TOKENS = "total_steps: 400e9tok needs tokens_per_step (--tokens-per-step N)"


@pytest.mark.parametrize(
    ("arguments", "clock", "missing"),
    [
        ([], "", [IN_RUN, IN_TOKENS]),
        (["--total-steps", "10"], "", [IN_TOKENS]),
        ([], "clock: {tokens_per_step: 4.0e+6}\n", [IN_RUN]),
    ],
)
def test_what_no_clock_counts_is_told_in_words_and_then_one_by_one(arguments, clock, missing, show):
    status, page, told = show(TOKENS + clock, *arguments)
    assert status == PROBLEMS
    assert page == (
        "WarmupCosineScheduler: up from 0 to the base rate in 3% of the run, then half a cosine "
        "down to 0 at 400e9 tokens, which holds.\n"
    )
    first, *lines, last = told.splitlines()
    assert [line.strip() for line in lines] == missing
    assert first.startswith("olm show: cannot convert ")
    assert "`clock: {" in last


def test_what_no_clock_counts_does_not_get_into_a_csv(show):
    status, out, told = show(TOKENS, "--csv", "-")
    assert (status, out) == (PROBLEMS, "")
    assert "--tokens-per-step" in told


def test_what_else_is_wrong_with_a_spec_that_waits_for_a_clock_is_told_as_check_tells_it(show):
    status, out, _ = show("kind: LinearLR\ntotal_steps: 2 epochs\n")
    assert status == PROBLEMS
    assert "write 2ep" in out
    unmet = f"{LINEAR}expect: {{rates: [{{step: 3%, lr: 1}}]}}\n"
    status, out, _ = show(unmet)
    assert status == PROBLEMS
    assert "expect" in out


def test_options_that_no_run_is_like_are_misuse(show):
    status, _, told = show(LINEAR, "--samples-per-step", "8", "--tokens-per-step", "4")
    assert status == MISUSE
    assert told.startswith("olm show: --tokens-per-step: ")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("3%", "3% of the run"),
        ("2ep", "2 epochs"),
        ("1.5e6sp", "1.5e6 samples"),
        ("20e9tok", "20e9 tokens"),
        ("rest", "the remaining steps"),
    ],
)
def test_the_words_of_every_kind_say_durations_and_no_steps_beside_them(text, words):
    tried = 0
    for kind, model in KINDS.items():
        schedule = olm.parse({"kind": kind, **model.examples[0]}).schedule
        for name in step_fields(model):
            value = getattr(schedule, name)
            new = (*value[:-1], text) if isinstance(value, tuple) else text
            try:
                said = "\n".join(in_words(schedule.model_copy(update={name: new})))
            except ValidationError:
                # A position cannot be the rest, and some fields exclude one another.
                continue
            if f"{{{name}}}" in model.words:
                assert words in said or (text == "rest" and "at the end" in said)
            assert not re.search(rf"steps? {words}|{words} steps|{text}\b(?! of)", said)
            tried += 1
    assert tried > 30


def test_the_words_of_parts_whose_lengths_are_durations_are_told_one_after_the_other():
    parts = [{"kind": "WarmupLR", "warmup_steps": "rest"}, *[{"kind": "HoldLR", "factor": 1.0}] * 2]
    document = {"kind": "PhasesLR", "lengths": ["3%", "1ep", "rest"], "schedulers": parts}
    assert list(in_words(olm.parse(document).schedule)) == [
        "PhasesLR: one after another, each from its own step 0, for "
        "3% of the run, 1 epoch, the remaining steps.",
        "  first, WarmupLR: up from 0 to the base rate in the remaining steps, which holds.",
        "  then, HoldLR: the base rate at every step.",
        "  then, HoldLR: the base rate at every step.",
    ]
    sequence = {"kind": "SequentialLR", "milestones": ["3%", 90], "schedulers": parts}
    _, *lines = in_words(olm.parse(sequence).schedule)
    assert [line.split(",")[0].strip() for line in lines] == [
        "from step 0 on",
        "from 3% of the run on",
        "from step 90 on",
    ]


@pytest.mark.parametrize(
    ("run", "ends"),
    [
        (2, {2: "end of the run"}),
        (4, {4: "end of the run, end of the schedule, held"}),
        (9, {4: "end of the schedule, held", 9: "end of the run"}),
    ],
)
def test_the_curve_goes_to_the_end_of_the_run_which_is_marked(run, ends, show):
    _, page, _ = show(LINEAR, "--total-steps", str(run))
    rows = {int(row[0]): row[-1] for row in table(page, "step")[1:]}
    assert {step: why for step, why in rows.items() if "end of" in why} == ends
    assert max(rows) == run
    assert "last training step" in rows[run - 1]
    assert ticks_below(page)[1].split()[-1] == str(run)


def test_a_picture_that_goes_on_after_the_run_says_where_it_ends(show, tmp_path):
    svg = str(tmp_path / "a.svg")
    show(LINEAR, "--total-steps", "9", "--steps", "12", "--svg", svg)
    assert "end of the run" in texts_of(svg)
    show(LINEAR, "--total-steps", "9", "--svg", svg)
    assert "end of the run" not in texts_of(svg)


def test_steps_that_are_asked_for_win_over_the_end_of_the_run(show):
    reasons = {row[0]: row[-1] for row in table(show(LINEAR, *LARGE, "--steps", "3")[1], "step")}
    assert reasons["3"] == "last step shown"
    assert "end of the run" not in reasons.values()


@pytest.mark.parametrize("total", [1, 2, 3, 10**9, 2**53])
@pytest.mark.parametrize("unit", [*NEEDS])
def test_the_shortest_and_the_longest_runs_have_a_page(total, unit, show):
    clock = ["--total-steps", str(total), "--steps-per-epoch", "0.3", "--samples-per-step", "1"]
    text = "kind: LinearLR\ntotal_steps: 100%\n"
    status, page, told = show(text, *clock, "--tokens-per-step", "9e15", "--axis", unit)
    assert (status, told) == (FINE, "")
    assert f"at step {total:,}, which holds" in page
    assert table(page, "step")[-1][0] == f"{total:,}"
    assert ticks_below(page)[0][0] == 0


def test_half_way_down_is_exact_in_the_longest_run():
    schedule = KINDS["LinearLR"](total_steps=2**53)
    keys = {key.why: key.step for key in key_steps(schedule, 1.0, 2**53)}
    assert keys["halfway down"] == 2**52


def test_only_the_tokens_have_to_be_known_of_what_is_said_in_tokens(show):
    text = "kind: LinearLR\ntotal_steps: 400e9tok\n"
    status, page, told = show(text, "--tokens-per-step", "4e6", "--axis", "tokens")
    assert (status, told) == (FINE, "")
    assert table(page, "field")[1] == ["total_steps", "400e9tok", "100,000", "400.0B"]
    assert table(page, "step")[-1] == ["100,000", "400.0B", "0", "0 %", "final rate, held"]


def test_a_state_shows_what_its_steps_were(tmp_path, capsys):
    spec = olm.loads(TOKENS).resolve(Clock(total_steps=100_000, tokens_per_step=4e6))
    where = {"last_epoch": 3, "base_lrs": (0.4,), "digest": digest(spec.schedule)}
    path = tmp_path / "scheduler.json"
    path.write_text(spec.model_copy(update=where).model_dump_json())
    assert main(["show", str(path)]) == FINE
    assert table(capsys.readouterr().out, "field") == [
        ["field", "as written", "steps"],
        ["warmup_steps", "3%", "3,000"],
        ["total_steps", "400e9tok", "100,000"],
    ]
    assert main(["show", str(path), "--tokens-per-step", "4e6", "--axis", "tokens"]) == FINE
    assert table(capsys.readouterr().out, "field")[1][2:] == ["3,000", "12.0B"]


def test_a_place_on_an_axis_is_the_exact_one_rounded_once():
    axis = axes(Clock(steps_per_epoch=125, total_steps=300))["epochs"]
    steps = np.arange(10_000)
    assert axis.along(steps).tolist() == [float(Fraction(step, 125)) for step in range(10_000)]
    assert axis.along(steps).tolist() == [axis.at(step) for step in range(10_000)]


def test_a_reader_that_leaves_is_no_error(tmp_path):
    path = tmp_path / "long.olm.yaml"
    path.write_text("{kind: LinearLR, total_steps: 1000000}")
    command = [sys.executable, "-m", "olm", "show", str(path), "--csv", "-"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, **pipes) as process:
        assert process.stdout.readline() == b"step,lr\n"
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == PIPE_CLOSED


def ones(value):
    """A value in which every number of steps is 1."""
    if isinstance(value, tuple):
        return tuple(map(ones, value[:1]))
    return 1 if isinstance(value, int) and not isinstance(value, bool) else value


@pytest.mark.parametrize("kind", KINDS)
def test_a_sentence_has_singular_nouns_after_1_and_lists_without_brackets(kind):
    model = KINDS[kind]
    for example in model.examples:
        schedule = model(**example)
        fields = {name: ones(value) for name, value in dict(schedule).items()}
        assert not re.search(r"\b1 \w+s\b", sentence(model.model_construct(**fields)))
        assert not re.search(r"\(\d[^)]*, ", sentence(schedule))


@pytest.mark.parametrize("option", ["--steps", "--total-steps"])
def test_a_number_of_steps_is_the_one_that_was_written_not_the_float_beside_it(option, show):
    assert show("kind: HoldLR\n", option, str(2**53))[0] == FINE
    # As a float, the next number is the same one.
    try:
        status = show("kind: HoldLR\n", option, str(2**53 + 1))[0]
    except SystemExit as exit_:
        status = exit_.code
    assert status == MISUSE


TARGETS = """\
kind: PhasesLR
lengths: [10, 90]
schedulers:
  - {kind: RampLR, total_steps: 10, start_factor: 0.0, end_factor: 1.0}
  - {kind: RampLR, total_steps: 90, ease: cosine, end_lr: 1.0e-6}
also:
  - set: lr
    groups: last_layer*
    scaled_by: {kind: TableLR, milestones: [0, 2ep], factors: [0.0, 1.0]}
  - set: weight_decay
    schedule: {kind: RampLR, total_steps: 100%, ease: cosine, end_factor: 10.0}
  - value: ema
    schedule: {kind: RampLR, total_steps: 100%, start_factor: 0.9, end_factor: 1.0}
param_groups: [decay, {name: no_decay, weight_decay: 0}, last_layer]
clock: {total_steps: 100, steps_per_epoch: 2}
"""
NUMBERS = "optimizer: {lr: 0.01, weight_decay: 0.04}\n"


def heading(page):
    """The columns of the table of targets, each with the lines of its heading."""
    lines = page.splitlines()
    first = next(n for n, line in enumerate(lines) if line.startswith("    step  "))
    rows = lines[first:]
    rows = rows[: next(n for n, line in enumerate(rows) if line.startswith("    0 "))]
    starts = [match.start() for match in re.finditer(r"(?<=  )\S", rows[0])][1:]
    cut = [row.ljust(len(rows[0]) + 99) for row in rows]
    ends = [*starts[1:], None]
    return [[row[a:b].strip() for row in cut] for a, b in zip(starts, ends, strict=True)]


def rows_of(page):
    """The rows of the table of targets by their steps."""
    lines = page.splitlines()
    first = next(n for n, line in enumerate(lines) if line.startswith("    0 "))
    rows = [re.split(r"  +", line.strip()) for line in lines[first:] if line.startswith("    ")]
    return {row[0]: row[1:] for row in rows}


def test_a_target_has_a_sentence_in_words_of_its_own_base(show):
    status, out, _ = show(TARGETS)
    assert status == FINE
    assert out.splitlines()[3:6] == [
        "also  lr of last_layer*  that of the other groups × TableLR: 0, 1 at the steps 0, 4.",
        "      weight_decay       RampLR: half a cosine from each group's own to 10 × each group's "
        "own in 100 steps, which holds.",
        "      ema                RampLR: a straight line from 0.9 to 1 in 100 steps, which holds.",
    ]


def test_targets_without_a_known_base_are_computed_for_1_and_a_line_names_the_options(show):
    out = show(TARGETS)[1]
    assert [*zip(*heading(out), strict=True)] == [
        ("lr", "lr", "weight_decay", "weight_decay", "ema"),
        ("", "of last_layer*", "of decay, last_layer", "of no_decay", ""),
        ("base 1", "base 1", "base 1", "base 0", ""),
    ]
    assert out.splitlines()[-1] == (
        "Factors multiply 1 where the base is unknown: give --base lr=BASE "
        "--base weight_decay=BASE."
    )


def test_the_table_has_a_column_for_each_target_and_each_base_with_the_numbers_of_the_spec(show):
    out = show(TARGETS + NUMBERS)[1]
    assert [lines[-1] for lines in heading(out)] == [
        "base 0.01",
        "base 0.01",
        "base 0.04",
        "base 0",
        "",
    ]
    rows, spec = rows_of(out), olm.loads(TARGETS)
    for step, cells in rows.items():
        at = int(step.replace(",", ""))
        expected = [
            spec.lr(at, 0.01),
            spec.of("lr", at, base=0.01, group="last_layer"),
            spec.of("weight_decay", at, base=0.04, group="decay"),
            spec.of("weight_decay", at, base=0.0, group="no_decay"),
            spec.value("ema", at),
        ]
        assert [float(cell) for cell in cells[:5]] == pytest.approx(expected, rel=1e-3)
    assert rows["0"] == ["0", "0", "0.04", "0", "0.9", "first step"]
    assert rows["4"][:2] == ["4.00e-03", "4.00e-03"]
    assert rows["4"][-1] == "lr of last_layer*: jump"
    assert rows["99"][-1] == "last training step"
    assert "Factors multiply" not in out


@pytest.mark.parametrize(
    ("options", "bases"),
    [
        (["--base", "weight_decay=0.1"], ["0.1"]),
        (["--base", "weight_decay=0.1", "--base", "weight_decay:no_decay=0"], ["0.1", "0"]),
        (["--base", "weight_decay:last*=0.2"], ["0.04", "0", "0.2"]),
    ],
)
def test_bases_by_options_win_and_those_of_a_group_win_over_those_of_all(options, bases, show):
    out = show(TARGETS + NUMBERS, "--only", "weight_decay", *options)[1]
    assert [lines[-1] for lines in heading(out)] == [f"base {base}" for base in bases]


def test_a_group_of_a_spec_without_names_has_a_column_once_an_option_names_it(show):
    text = TARGETS.replace("param_groups", "# param_groups")
    out = show(text, "--base-lr", "0.1", "--base", "lr:last_layer=0.2", "--only", "lr")[1]
    assert [*zip(*heading(out), strict=True)] == [
        ("lr", "lr", "lr"),
        ("", "of last_layer*", "of last_layer"),
        ("base 0.1", "base 0.1", "base 0.2"),
    ]


def test_curves_stand_above_one_axis_of_steps_and_only_one_is_drawn_large(show):
    titles = ["lr (base 0.01)", "lr of last_layer* (base 0.01)"]
    titles += ["weight_decay of decay, last_layer (base 0.04)", "ema"]
    lines = show(TARGETS + NUMBERS)[1].splitlines()
    assert [line.strip() for line in lines if line.strip() in titles] == titles
    assert sum("└" in line for line in lines) == 1
    assert sum("┤" in line for line in lines) == 4 * 5
    assert {line.index("┤") for line in lines if "┤" in line} == {
        line.index("└") for line in lines if "└" in line
    }
    alone = show(TARGETS, "--only", "ema")[1].splitlines()
    assert sum("┤" in line for line in alone) == 11
    assert alone[0] == "also  ema  RampLR: a straight line from 0.9 to 1 in 100 steps, which holds."


def test_the_csv_and_the_picture_have_every_target(show, tmp_path):
    rows = [*csv.reader(show(TARGETS + NUMBERS, "--csv", "-")[1].splitlines())]
    spec = olm.loads(TARGETS)
    assert rows[0] == [
        "step",
        "lr",
        "lr of last_layer*",
        "weight_decay of decay, last_layer",
        "weight_decay of no_decay",
        "ema",
    ]
    numbers = np.array(rows[1:], float)
    steps = np.arange(101)
    assert numbers[:, 0].tolist() == steps.tolist()
    assert numbers[:, 2].tolist() == spec.of("lr", steps, base=0.01, group="last_layer").tolist()
    assert numbers[:, 3].tolist() == spec.of("weight_decay", steps, base=0.04).tolist()
    assert numbers[:, 5].tolist() == spec.value("ema", steps).tolist()
    out = tmp_path / "a.svg"
    assert show(TARGETS + NUMBERS, "--svg", str(out))[0] == FINE
    assert {"learning rate (base 0.01)", "learning rate of last_layer* (base 0.01)", "ema"} <= {
        *texts_of(out)
    }


def test_a_state_with_targets_brings_its_bases_and_its_step(show):
    state = olm.loads(TARGETS + NUMBERS).resolve().model_dump()
    del state["optimizer"], state["clock"]
    state["param_groups"] = ["decay", "no_decay", "last_layer"]
    state["also"][1]["bases"] = [0.04, 0.0, 0.03]
    spec = olm.loads(TARGETS).resolve()
    state |= {"last_epoch": 7, "base_lrs": [0.1, 0.1, 0.2]}
    state["digest"] = digest(spec.schedule, spec.also)
    out = show(olm.parse(state).model_dump_json())[1]
    assert [lines[-1] for lines in heading(out)] == [
        "base 0.1",
        "base 0.2",
        "base 0.04",
        "base 0",
        "base 0.03",
        "",
    ]
    row = rows_of(out)["7"]
    assert row[-1] == "step of the state"
    assert float(row[2]) == pytest.approx(spec.of("weight_decay", 7, base=0.04), rel=1e-4)
    assert "also[1].schedule.total_steps     100%        100" in out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--only", "beta"], "--only beta: this document schedules lr, lr of last_layer*, "),
        (["--base", "eps=1"], "--base eps: the hyperparameters are lr and weight_decay"),
        (["--base", "lr=much"], "--base: the base must be a number, found much"),
        (["--base", "lr"], "--base: must be NUMBER=BASE or NUMBER:GROUP=BASE"),
        (["--base", "lr:tail=1"], "--base lr:tail: the param groups are decay, no_decay and last"),
    ],
)
def test_a_number_or_a_group_that_the_spec_does_not_have_is_misuse(options, message, show):
    status, out, error = show(TARGETS, *options)
    assert (status, out) == (MISUSE, "")
    assert message in error


def test_without_a_clock_targets_are_described_and_their_durations_are_listed(show):
    status, out, error = show(TARGETS.replace("clock", "# clock"))
    assert status == PROBLEMS
    assert "also  lr of last_layer*  that of the other groups × TableLR: 0, 1 at 0, 2 ep" in out
    assert "also[0].scaled_by.milestones[1]: 2ep needs steps_per_epoch" in error


def test_the_base_rate_in_a_spec_without_targets_is_used_unless_an_option_has_another(show):
    assert table(show(LINEAR + NUMBERS)[1], "step")[1][1:3] == ["1.0e-02", "100 %"]
    assert table(show(LINEAR + NUMBERS, "--base", "lr=1")[1], "step")[1][1] == "1.0e+00"


def test_a_state_with_fewer_rates_than_names_is_shown(show):
    decay = {"kind": "LinearDecayLR", "total_steps": 4}
    also = [{"set": "weight_decay", "groups": ["wd"], "schedule": decay, "base": 0.1}]
    spec = olm.parse({"kind": "HoldLR", "also": also})
    document = {
        **spec.model_dump(),
        "last_epoch": 0,
        "base_lrs": [0.1, 0.2],
        "digest": digest(spec.schedule, spec.also),
        "param_groups": ["wd", "no_wd", "other"],
    }
    status, shown, _ = show(yaml.safe_dump(document))
    assert status == FINE
    assert "weight_decay" in shown
