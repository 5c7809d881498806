"""What the commands show of a run whose batch grows."""

import csv
import io
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

import olm
from olm.checking.check import check
from olm.cli import FINE, MISUSE, PROBLEMS, main
from olm.cli.drawing.page import View, page
from olm.cli.drawing.tables import counted_in
from olm.cli.terminal import Screen
from olm.drawing.axis import axes
from olm.schedule.clock import Clock
from olm.schedule.showing.sentence import in_words
from olm.text.document import read
from strategies import clocks, schedules, varying_clocks, with_durations

RAMP = {"start": 16, "end": 1536, "by": 16, "over": "12e9tok"}
GPT_3 = """\
kind: TimeLR
axis: tokens
scheduler: {kind: WarmupCosineScheduler, warmup_steps: 375e6tok, total_steps: 260e9tok}
clock:
  total_steps: 300e9tok
  tokens_per_sample: 2048
  samples_per_epoch: 30000000
  batch_ramp: {start: 16, end: 1536, by: 16, over: 12e9tok}
"""
STAGES = """\
kind: LinearLR
total_steps: 100%
clock:
  total_steps: 1e9tok
  tokens_per_sample: [{from: 0, tokens: 512}, {from: 20%, tokens: 1024}]
  batch_stages:
    - {from: 0, samples: 256}
    - {from: 10%, samples: 512}
"""


@pytest.fixture
def show(tmp_path, capsys):
    def run(text, *options):
        path = tmp_path / "a.olm.yaml"
        path.write_text(text)
        status = main(["show", str(path), *options])
        out, err = capsys.readouterr()
        return status, out, err

    return run


def row(page, *begin):
    """The cells of the line that begins with these."""
    lines = (line.split() for line in page.splitlines())
    return next(cells for cells in lines if cells[: len(begin)] == [*begin])


def test_sentences_describe_the_run_and_the_ramp(show):
    _, page, _ = show(GPT_3)
    assert page.splitlines()[:4] == [
        "TimeLR: along tokens.",
        "  its schedule, WarmupCosineScheduler: up from 0 to the base rate in 375,000,000 tokens, "
        "then half a cosine down to 0 at token 260,000,000,000, which holds.",
        "Run: 300e9 tokens, 111,355 steps, rounded up from 111,354.7025.",
        "Batch: 16 samples, growing by 16 over 12e9 tokens to 1,536 samples from step 19,802 on.",
    ]


def test_sentences_describe_stages_of_the_batch_and_of_the_sequence_length(show):
    _, page, _ = show(STAGES)
    clock = Clock(**stages_clock())
    batch, length = clock.units("samples").firsts[1], 1 + last_of_length(clock, 512)
    assert f"Batch: 256 samples, 512 samples from step {batch:,} on.\n" in page
    assert f"Sequence length: 512 tokens, 1,024 tokens from step {length:,} on.\n" in page
    assert row(page, "step")[:4] == ["step", "batch_size", "tokens_per_sample", "rate"]
    assert row(page, f"{batch:,}")[1:3] == ["512", "512"]
    assert row(page, f"{batch:,}")[-2:] == ["batch", "grows"]
    assert row(page, f"{length:,}")[1:3] == ["512", "1,024"]
    assert row(page, f"{length:,}")[-3:] == ["sequence", "length", "grows"]


def stages_clock():
    return {
        "total_steps": "1e9tok",
        "tokens_per_sample": [{"from": 0, "tokens": 512}, {"from": "20%", "tokens": 1024}],
        "batch_stages": [{"from": 0, "samples": 256}, {"from": "10%", "samples": 512}],
    }


def last_of_length(clock, length):
    steps = range(clock.total_steps)
    return max(step for step in steps if clock.tokens_per_sample_at(step) == length)


def test_a_spec_whose_batch_is_constant_has_no_sentence_and_no_column(show):
    _, page, _ = show("{kind: LinearLR, total_steps: 100, clock: {samples_per_step: 8}}")
    assert "Batch" not in page
    assert "Run:" not in page
    assert "batch_size" not in page


def test_a_stage_that_the_run_does_not_reach_is_reported(show):
    stages = "[{from: 0, samples: 8}, {from: 500, samples: 16}]"
    clock = f"{{total_steps: 100, batch_stages: {stages}}}"
    _, page, _ = show(f"{{kind: HoldLR, clock: {clock}}}")
    text = "16 samples from step 500 on, which the run does not reach."
    assert f"Batch: 8 samples, {text}\n" in page


def test_a_clock_that_cannot_count_its_stages_names_the_field(show):
    stages = "[{from: 0, samples: 8}, {from: 1e6tok, samples: 16}]"
    status, page, _ = show(f"{{kind: HoldLR, clock: {{batch_stages: {stages}}}}}", "--steps", "9")
    assert status == FINE
    text = "it changes, and to count its stages, the clock lacks tokens_per_sample"
    assert f"Batch: {text}.\n" in page


def test_durations_along_an_axis_have_their_steps(show):
    _, page, _ = show(GPT_3)
    clock = Clock(total_steps="300e9tok", tokens_per_sample=2048, batch_ramp=RAMP)
    steps = f"{float(clock.step_at('375e6tok')):,.0f}"
    assert row(page, "scheduler.warmup_steps")[1:6] == [
        "375e6tok",
        steps,
        "0.006104",
        "183,105",
        "375.0M",
    ]


@pytest.mark.parametrize(
    ("axis", "last", "ticks"),
    [
        ("tokens", "300.0B", ["0", "100B", "200B", "300B", "tokens"]),
        ("samples", "146.5M", ["0", "25M", "50M", "75M", "100M", "125M", "samples"]),
        ("epochs", "4.883", ["0", "1", "2", "3", "4", "epochs"]),
        ("percent", "100", ["0", "%", "20", "%", "40", "%"]),
    ],
)
def test_every_axis_is_there_for_a_ramp(show, axis, last, ticks):
    _, page, _ = show(GPT_3, "--axis", axis)
    lines = page.splitlines()
    below = next(index for index, line in enumerate(lines) if "┬" in line) + 1
    assert lines[below].split()[: len(ticks)] == ticks
    assert row(page, "111,355")[1] == last
    place = next(line for line in lines if line.strip().startswith("7,028"))
    assert ("375.1M" in place) == (axis == "tokens")


PLANS = st.lists(st.tuples(st.integers(1, 40), st.integers(1, 9)), min_size=1, max_size=4)


@given(PLANS, st.integers(1, 200), st.sampled_from([1, 3, 512]))
def test_places_on_an_axis_add_up_what_the_steps_take(parts, last, length):
    begins = np.cumsum([0, *(steps for steps, _ in parts)])
    stages = [
        {"from": int(begin), "samples": size}
        for begin, (_, size) in zip(begins, parts, strict=False)
    ]
    clock = Clock(batch_stages=stages, tokens_per_sample=length, samples_per_epoch=50)
    known = axes(clock)
    taken = [0]
    for step in range(last):
        taken.append(taken[-1] + clock.batch_at(step))
    for unit, each in (("samples", 1), ("tokens", length), ("epochs", Fraction(1, 50))):
        axis = known[unit]
        exact = [number * each for number in taken]
        assert [axis.exactly(step) for step in range(last + 1)] == exact
        assert axis.along(np.arange(last + 1)).tolist() == [*map(float, exact)]
        assert axis.numbers(np.arange(last + 1)) == [*map(float, exact)]
        even = axis.evenly(last, 33)
        assert (even[0], even[-1]) == (0, last)
        places = axis.along(even)
        most = float(axis.most)
        assert np.abs(places - np.linspace(0, places[-1], 33)).max() <= most / 2 * (1 + 1e-9)


def test_a_file_of_numbers_has_the_batch_of_each_step(show):
    stages = "[{from: 0, samples: 8}, {from: 3, samples: 16}]"
    text = f"{{kind: LinearLR, total_steps: 4, clock: {{batch_stages: {stages}}}}}"
    _, out, _ = show(text, "--csv", "-", "--axis", "samples")
    rows = [*csv.reader(io.StringIO(out))]
    assert rows[0] == ["step", "lr", "batch_size", "samples"]
    assert [line[2:] for line in rows[1:]] == [
        ["8", "0"],
        ["8", "8"],
        ["8", "16"],
        ["16", "24"],
        ["16", "40"],
    ]


def test_a_spec_with_targets_has_the_same_column_and_steps(show):
    also = "also: [{set: weight_decay, base: 0.1, schedule: {kind: HoldLR}}]\n"
    _, page, _ = show(STAGES + also)
    assert row(page, "step")[:4] == ["step", "batch_size", "tokens_per_sample", "lr"]
    assert "batch grows" in page
    assert "Batch: 256 samples" in page


def test_a_picture_goes_along_the_axis(show, tmp_path):
    svg = tmp_path / "a.svg"
    assert show(GPT_3, "--axis", "tokens", "--svg", str(svg)) == (FINE, "", "")
    assert "300B" in svg.read_text()


def test_the_run_length_is_a_duration_in_options_too(show):
    text = "{kind: LinearLR, total_steps: 100%}"
    options = ["--total-steps", "400e9tok", "--tokens-per-step", "4e6"]
    _, page, _ = show(text, *options)
    assert "Run: 400e9 tokens, 100,000 steps.\n" in page
    options = ["--total-steps", "4e6sp", "--samples-per-step", "32", "--tokens-per-sample", "512"]
    _, page, _ = show(text, *options, "--axis", "tokens")
    assert row(page, "125,000")[1] == "2.048B"
    options = ["--total-steps", "2ep", "--samples-per-step", "32", "--samples-per-epoch", "3200"]
    _, page, _ = show(text, *options)
    assert "Run: 2 epochs, 200 steps.\n" in page


def test_options_that_are_wrong_are_misuse_and_name_the_option(show):
    text = "{kind: LinearLR, total_steps: 100%}"
    status, _, told = show(text, "--total-steps", "3%")
    assert status == MISUSE
    assert told.startswith("olm show: --total-steps: total_steps must not be a share of itself")
    options = ["--samples-per-epoch", "100", "--steps-per-epoch", "10"]
    status, _, told = show(text, *options)
    assert status == MISUSE
    assert told.startswith("olm show: --samples-per-epoch: give samples_per_epoch")


@pytest.mark.parametrize(
    ("text", "field"),
    [
        (GPT_3.replace("  tokens_per_sample: 2048\n", ""), "tokens_per_sample"),
        ("{kind: LinearLR, total_steps: 100%, clock: {total_steps: 3e9tok}}", "tokens_per_step"),
        (
            "{kind: LinearLR, total_steps: 3ep, clock: {batch_stages: [{from: 0, samples: 8}]}}",
            "samples_per_epoch",
        ),
    ],
)
def test_what_a_clock_lacks_is_named_with_its_option(show, text, field):
    status, _, told = show(text)
    assert status == PROBLEMS
    assert f"needs {field} (--{field.replace('_', '-')} N)" in told


def test_an_axis_that_a_ramp_cannot_count_names_what_it_lacks(show):
    text = "{kind: HoldLR, clock: {batch_stages: [{from: 0, samples: 8}]}}"
    status, _, told = show(text, "--axis", "tokens")
    assert status == MISUSE
    field = "`clock: {tokens_per_sample: ...}`"
    assert told == f"olm show: --axis tokens needs --tokens-per-sample, or {field} in FILE\n"
    _, _, told = show(text, "--axis", "epochs")
    assert "needs --samples-per-epoch" in told


@settings(max_examples=50)
@given(st.data())
def test_any_spec_with_any_batch_is_shown_or_has_problems_of_its_own(data):
    written = data.draw(clocks(10**4))
    document = data.draw(with_durations(data.draw(schedules(depth=2)), written))
    clock = data.draw(varying_clocks(10**4))
    spec = olm.parse({**document, "clock": clock.known})
    checked = check(read(spec.model_dump_json(exclude_none=True), "a.json"))
    resolved, total = checked.counted, clock.total_steps
    codes = {problem.code for problem in checked.problems if problem.severity == "error"}
    assert codes <= {"varying-batch", "rule", "range"}
    event(f"shown: {resolved is not None}")
    if resolved is None:
        assert codes
        return
    for axis in axes(clock).values():
        view = View(resolved, counted_in(spec, clock), clock, 1.0, total, axis)
        lines = [*page(view, in_words(resolved.schedule), Screen())]
        assert sum("┬" in line for line in lines) == 1
        assert any("first step" in line for line in lines)


@given(varying_clocks(10**4))
def test_a_clock_survives_a_document(clock):
    spec = olm.parse({"kind": "HoldLR", "clock": clock.known})
    assert olm.parse(spec.model_dump(mode="json", exclude_none=True)).clock == clock
    assert clock.differences(clock) == []
    assert clock.over(clock) == clock
