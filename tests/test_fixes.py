"""``olm check --fix``: an error with one possible fix is fixed, and every other byte is kept."""

import io
import json
import os
import re
import stat
import sys

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from olm.checking.check import Options, check
from olm.checking.fix import edits, fixed_text, with_sound_fixes
from olm.cli import FINE, MISUSE, PROBLEMS, main
from olm.problem import MAX_PROBLEMS
from olm.spec.load import loads
from olm.text.document import read
from strategies import mutated

GOOD = "kind: LinearLR\ntotal_steps: 100\n"

FIXED = {
    "a misspelt key": (
        "kind: LinearLR\ntotal_step: 100  # as planned\n",
        "kind: LinearLR\ntotal_steps: 100  # as planned\n",
    ),
    "a misspelt kind": ("kind: LinaerLR\ntotal_steps: 1\n", "kind: LinearLR\ntotal_steps: 1\n"),
    "a number in quotes": (
        "kind: LinearLR\ntotal_steps: '100'\n",
        "kind: LinearLR\ntotal_steps: 100\n",
    ),
    "a number in quotes, in other digits": (
        'kind: LinearLR\ntotal_steps: "1_000"\nend_lr: "1e-4"\n',
        "kind: LinearLR\ntotal_steps: 1000\nend_lr: 1.0e-4\n",
    ),
    "a key, and behind it its value": (
        "kind: LinearLR\ntotal_step: '100'\n",
        "kind: LinearLR\ntotal_steps: 100\n",
    ),
    "a key, and an error hidden inside its value": (
        "kind: ChainedScheduler\nschedulrs: [{kind: LinearLR, total_step: 1}]\n",
        "kind: ChainedScheduler\nschedulers: [{kind: LinearLR, total_steps: 1}]\n",
    ),
    "a number that others take for a string": (
        "{kind: LinearLR,   total_steps: 1e3,end_lr: 1e-4}",
        "{kind: LinearLR,   total_steps: 1.0e+3,end_lr: 1.0e-4}",
    ),
    "a word of another framework": (
        "kind: WarmupLR\nnum_warmup_steps: 5\n",
        "kind: WarmupLR\nwarmup_steps: 5\n",
    ),
    "a choice": (
        "kind: RampLR\ntotal_steps: 9\nease: Cosine\n",
        "kind: RampLR\ntotal_steps: 9\nease: cosine\n",
    ),
    "a key in quotes": (
        "\"kind\": 'LinearLRR'\n'total_step': 9\n",
        "\"kind\": 'LinearLR'\n'total_steps': 9\n",
    ),
    "a time, with its value": (
        "kind: ConstantLR\nt_max: 2000ba   # as in the paper\n",
        "kind: ConstantLR\ntotal_iters: 2000   # as in the paper\n",
    ),
    "a number of epochs, whose value is elsewhere": (
        "kind: ConstantLR\nt_max:\n  # short\n  2 ep # of ten\n",
        "kind: ConstantLR\ntotal_iters:\n  # short\n  2ep # of ten\n",
    ),
    "a number of samples, in braces": (
        "{kind: ConstantLR,t_max: 100 sp,}",
        "{kind: ConstantLR,total_iters: 100sp,}",
    ),
    "a number of tokens, below a question mark": (
        "kind: ConstantLR\n? 't_max'\n: '375 tok'\n",
        "kind: ConstantLR\n? 'total_iters'\n: '375tok'\n",
    ),
    "a time in quotes, and a duration": (
        "kind: PhasesLR\nschedulers: [{kind: ConstantLR, t_max: '2000ba'}]\nlengths: [10 ep]\n",
        "kind: PhasesLR\nschedulers: [{kind: ConstantLR, total_iters: 2000}]\nlengths: [10ep]\n",
    ),
    "a duration in quotes, and a number of steps that needs none": (
        "kind: MultiStepLR\nmilestones: ['10 %', \"2 epochs\", 3 %, '2000ba', \"3_000 steps\"]\n",
        "kind: MultiStepLR\nmilestones: ['10%', \"2ep\", 3%, 2000, 3000]\n",
    ),
    "in the encoding that it has": (
        "\ufeffkind: LinearLR  # é 学\r\ntotal_step: 100\r\n",
        "\ufeffkind: LinearLR  # é 学\r\ntotal_steps: 100\r\n",
    ),
}
"""Texts before and after a fix."""

LEFT = {
    "two keys that mean one": "kind: LinearLR\ntotal_step: 1\ntotal_stepz: 2\n",
    "a key that is there": "kind: WarmupLR\nwarmup_steps: 1\nnum_warmup_steps: 2\n",
    "what may be epochs or steps": "kind: WarmupLR\nwarmup_t: 5\n",
    "a share of the run, which frameworks round in their own ways": (
        "kind: WarmupLR\nwarmup_ratio: 0.03\n"
    ),
    "a share of the run that is a time": "kind: ConstantLR\nt_max: 0.7dur\n",
    "a word that no configuration of a peer has": "kind: WarmupLR\nwarmup_epochs: 2\n",
    "a time that no schedule has": "kind: ConstantLR\nt_max: 90sec\n",
    "an iteration that is no step": "kind: ConstantLR\nt_max: 10iter\n",
    "two words that mean one": "kind: WarmupLR\nwarmup: 5\nnum_warmup_steps: 2\n",
    "a word for a key that is there": "{kind: ConstantLR, total_iters: 1, t_max: 10ba}",
    "epochs in a run without any": "clock: {total_steps: 9}\nkind: ConstantLR\nt_max: 1 ep\n",
    "a duration in a state": "kind: ConstantLR\nt_max: 1 ep\nlast_epoch: 0\nbase_lrs: [1.0]\n"
    f"digest: sha256:{'0' * 64}\n",
    "a value with an anchor": "kind: ConstantLR\nt_max: &time 10ba\n",
    "a number of steps that may be a share": "kind: WarmupLR\nwarmup_steps: 0.03\n",
    "a share in quotes": "kind: WarmupLR\nwarmup_steps: '0.03'\n",
    "a text of two lines": 'kind: WarmupLR\nwarmup_steps: "2000\n  ba"\n',
    "a block": "kind: WarmupLR\nwarmup_steps: |\n  10 %\n",
    "a word of torch's class of this name": "kind: LinearLR\ntotal_iters: 5\n",
    "a number that is out of range": "kind: LinearLR\ntotal_steps: '0'\n",
    "a choice that a rule forbids": "{kind: RampLR, total_steps: 9, end_lr: 0.0, space: Log}",
    "what only looks like a number": "kind: LinearLR\ntotal_steps: '1:30'\n",
}
"""Texts that are not fixed."""


@pytest.mark.parametrize("what", FIXED)
def test_an_error_with_one_possible_fix_is_fixed(what):
    before, after = FIXED[what]
    data, count = fixed_text(before.encode(), "a.olm.yaml")
    assert data.decode() == after
    assert count
    assert check(read(data, "a.olm.yaml")).problems == ()


@pytest.mark.parametrize("what", LEFT)
def test_an_error_without_a_fix_is_left(what):
    data = LEFT[what].encode()
    assert fixed_text(data, "a.olm.yaml") == (data, 0)
    result = with_sound_fixes(check(read(data, "a.olm.yaml")))
    assert result.problems
    assert not any(problem.fix for problem in result.problems)


def test_a_key_is_fixed_even_if_its_value_cannot_be():
    """The first finding of tools/fuzz.py: a fix reveals as many problems as it fixes."""
    text = "kind: ChainedScheduler\nschedulrs: [{kind: LinearLR, total_step: -1}]\n"
    data, count = fixed_text(text.encode(), "a.olm.yaml")
    assert b"schedulers: [" in data
    assert count
    assert fixed_text(data, "a.olm.yaml") == (data, 0)


@pytest.mark.parametrize(
    "text",
    [
        # More problems than the limit, and a text that is too long to be fixed.
        "kind: ChainedScheduler\nschedulers:\n" + "  - {kind: LinearLR, total_step: 1}\n" * 2000,
        "kind: LinearLR\ntotal_step: 1\n" + "#" * 2**17,
    ],
)
def test_a_text_that_is_too_large_or_has_too_many_errors_is_not_fixed(text):
    result = with_sound_fixes(check(read(text, "a.olm.yaml")))
    assert len(result.problems) <= MAX_PROBLEMS
    assert not any(problem.fix for problem in result.problems)
    assert fixed_text(text.encode(), "a.olm.yaml") == (text.encode(), 0)


def test_many_fixes_are_made_at_once():
    text = "kind: ChainedScheduler\nschedulers:\n" + "  - {kind: LinearLR, total_step: 1}\n" * 200
    data, count = fixed_text(text.encode(), "a.olm.yaml")
    assert (data.decode(), count) == (text.replace("total_step", "total_steps"), 200)


def test_errors_in_targets_are_fixed_as_in_the_root():
    text = """kind: LinearLR
total_step: 9
also:
  - set: weight_decay
    shedule: {kind: LinearLR, total_step: 9}
  - value: ema
    schedule: {kind: ConstantLR, t_max: 10ba}
  - set: lr
    group: head
    scaled_by: {kind: LinaerLR, total_steps: 9}
"""
    data, count = fixed_text(text.encode(), "a.olm.yaml")
    fixes = {"total_step:": "total_steps:", "shedule": "schedule", "t_max: 10ba": "total_iters: 10"}
    for before, after in {**fixes, "group:": "groups:", "LinaerLR": "LinearLR"}.items():
        text = text.replace(before, after)
    assert (data.decode(), count) == (text, 6)
    assert check(read(data, "a.olm.yaml")).problems == ()


def test_json_stays_json():
    text = '{"kind": "LinaerLR",\n\t"total_step": "1e3", "end_lr": 1e-5}'
    data, count = fixed_text(text.encode(), "a.olm.json")
    assert data.decode() == '{"kind": "LinearLR",\n\t"total_steps": 1.0e+3, "end_lr": 1e-5}'
    assert json.loads(data)
    assert count == 3


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('"t_max":"5 sp"', '"total_iters":"5sp"'),
        ('"t_max" : "10ba"', '"total_iters" : 10'),
        ('"t_max": "10 ep"', '"total_iters": "10ep"'),
        ('"total_iters": "10 %"', '"total_iters": "10%"'),
        ('"total_iters": "2000 steps"', '"total_iters": 2000'),
    ],
)
def test_a_duration_is_quoted_in_json_and_a_number_is_not(before, after):
    text = '{"kind": "ConstantLR",\n\t%s}\n'
    data, count = fixed_text((text % before).encode(), "a.olm.json")
    assert (data.decode(), count) == (text % after, 1)
    assert json.loads(data)
    assert check(read(data, "a.olm.json")).problems == ()


def test_a_reported_fix_is_the_written_text():
    text = '{"kind": "ConstantLR", "t_max": "3 ep"}'
    result = with_sound_fixes(check(read(text, "a.olm.json")))
    (problem,) = result.problems
    for place, new in reversed(edits(problem, result.text)):
        text = text[: place.column - 1] + new + text[place.end - 1 :]
    assert text == '{"kind": "ConstantLR", "total_iters": "3ep"}'


def test_a_fix_is_applied_completely_or_not_at_all():
    """While the place of the value is unknown, the key alone must not be fixed."""
    result = check(read("{kind: ConstantLR, t_max: 10ba}", "a.olm.yaml"))
    (problem,) = result.problems
    assert problem.fix
    assert edits(problem, result.text) == []


def test_toml_is_not_fixed():
    for line in ("total_step = 3", "lr_decay_samples = 3", 'total_steps = "10 %"'):
        data = f'kind = "LinearLR"\n{line}\n'.encode()
        assert fixed_text(data, "a.toml") == (data, 0)


def test_only_the_schedule_in_a_larger_file_is_fixed():
    text = "total_step: '1'\nrun:\n  lr: {kind: LinearLR, total_step: '1'}\n"
    data, count = fixed_text(text.encode(), "a.yaml", Options(at=("run", "lr")))
    assert data.decode() == "total_step: '1'\nrun:\n  lr: {kind: LinearLR, total_steps: 1}\n"
    assert count == 2


@st.composite
def misspelt(draw):
    """A document with some errors, in one of several formats."""
    document = draw(mutated())
    if draw(st.booleans()):
        return json.dumps(document, indent=draw(st.sampled_from([None, 2])))
    style = draw(st.sampled_from([None, False, True]))
    return yaml.safe_dump(document, default_flow_style=style, sort_keys=False, allow_unicode=True)


def outline(text):
    """A text without the parts that a fix may change: names, numbers, units, and their quotes."""
    return re.sub(r"[\"'\w.+%-]", "", text)


@given(misspelt())
def test_fixing_makes_nothing_worse_and_is_complete_at_once(text):
    before = check(read(text, "a.olm.yaml"))
    data, count = fixed_text(text.encode(), "a.olm.yaml")
    after = check(read(data, "a.olm.yaml"))
    # A fix can reveal another error.
    assert len(after.problems) <= len(before.problems)
    assert (after.problems != before.problems) == bool(count)
    assert fixed_text(data, "a.olm.yaml") == (data, 0)
    assert outline(data.decode()) == outline(text)


@given(misspelt())
def test_a_reported_fix_works(text):
    result = with_sound_fixes(check(read(text, "a.olm.yaml")))
    told = [problem for problem in result.problems if problem.fix]
    assert bool(told) == bool(fixed_text(text.encode(), "a.olm.yaml")[1])


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("FORCE_COLOR", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_files_are_fixed_and_remaining_problems_are_reported(jobs, folder, capsys):
    for number in range(120):
        (folder / f"{number:03}.olm.yaml").write_text(GOOD)
    (folder / "007.olm.yaml").write_text(FIXED["a misspelt key"][0])
    (folder / "100.olm.yaml").write_text("kind: LinearLR\ntotal_step: 0\nend_lrs: 1.0\n")
    assert main(["check", "--fix", "--jobs", jobs, "."]) == PROBLEMS
    out = capsys.readouterr().out
    assert out.startswith("100.olm.yaml:2:1: error[unknown-field]: ")
    assert out.endswith("2 problems fixed\n1 problem in 1 of 120 files\n")
    assert (folder / "007.olm.yaml").read_text() == FIXED["a misspelt key"][1]
    assert (folder / "100.olm.yaml").read_text().endswith("\nend_lr: 1.0\n")
    assert (folder / "000.olm.yaml").read_text() == GOOD


def test_links_and_permissions_are_preserved(folder, capsys):
    there = folder / "there" / "a.olm.yaml"
    there.parent.mkdir()
    there.write_text("kind: LinearLR\ntotal_step: 1\n")
    there.chmod(0o640)
    (folder / "a.olm.yaml").symlink_to(there)
    assert main(["check", "--fix", "a.olm.yaml"]) == FINE
    assert (folder / "a.olm.yaml").is_symlink()
    assert "total_steps" in there.read_text()
    assert stat.S_IMODE(there.stat().st_mode) == 0o640
    assert [path.name for path in there.parent.iterdir()] == ["a.olm.yaml"]


def test_a_file_that_cannot_be_written_is_reported_and_does_not_stop_the_others(
    folder, monkeypatch, capsys
):
    for name in ("a", "b"):
        (folder / f"{name}.olm.yaml").write_text("kind: LinearLR\ntotal_step: 1\n")
    whole = os.replace

    def full(source, target, **options):
        if str(target).endswith("a.olm.yaml"):
            raise OSError(28, "No space left on device")
        return whole(source, target, **options)

    monkeypatch.setattr(os, "replace", full)
    assert main(["check", "--fix", "--format", "concise", "."]) == PROBLEMS
    first, second, last = capsys.readouterr().out.splitlines()
    assert first.endswith("cannot write the fixed file: no space left on device")
    assert second.startswith("a.olm.yaml:2:1: error[unknown-field]")
    assert last == "2 problems in 1 of 2 files"
    assert "total_steps" in (folder / "b.olm.yaml").read_text()
    assert sorted(path.name for path in folder.iterdir()) == ["a.olm.yaml", "b.olm.yaml"]


def test_a_difference_changes_nothing_and_is_what_git_applies(folder, capsys):
    path = folder / "a.olm.yaml"
    path.write_text("kind: LinaerLR\ntotal_step: 1e3\n# the end")
    before = path.read_bytes()
    assert main(["check", "--diff", "a.olm.yaml"]) == PROBLEMS
    out, error = capsys.readouterr()
    assert error == "olm check: 3 problems would be fixed\n"
    assert path.read_bytes() == before
    patch = folder / "patch"
    patch.write_text(out)
    assert os.system("git apply patch") == 0
    assert path.read_bytes() == fixed_text(before, "a.olm.yaml")[0]
    assert main(["check", "--diff", "a.olm.yaml"]) == FINE
    assert capsys.readouterr() == ("", "olm check: nothing to fix\n")


class Streams:
    """Standard input and output as bytes."""

    def __init__(self, data):
        self.buffer = io.BytesIO(data)


def test_standard_input_is_printed_with_its_errors_fixed(folder, monkeypatch, capsysbinary):
    monkeypatch.setattr(sys, "stdin", Streams("kind: LinearLR # é\r\ntotal_step: 1\r\n".encode()))
    assert main(["check", "--fix", "-"]) == FINE
    out, error = capsysbinary.readouterr()
    assert out.decode() == "kind: LinearLR # é\r\ntotal_steps: 1\r\n"
    assert error == b"1 problem fixed\n1 file is fine\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--fix", "--diff", "a.olm.yaml"], "not allowed with argument"),
        (
            ["--fix", "-", "a.olm.yaml"],
            "--fix prints the fixed text of -: give no other",
        ),
        (["--fix", "--schema", "a.olm.yaml", "a.olm.yaml"], "leave out --schema"),
    ],
)
def test_conflicting_options_are_misuse(arguments, said, folder, capsys):
    (folder / "a.olm.yaml").write_text(GOOD)
    assert main(["check", *arguments]) == MISUSE
    assert said in capsys.readouterr().err


def test_a_fixed_text_reads_as_before():
    text = "kind: LinearLR\ntotal_steps: 1e3\nend_lr: 1e-4\n"
    data, _ = fixed_text(text.encode(), "a.olm.yaml")
    assert loads(data) == loads(text)
    assert yaml.safe_load(data) == {"kind": "LinearLR", "total_steps": 1e3, "end_lr": 1e-4}
