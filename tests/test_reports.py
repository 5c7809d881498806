"""Reports of `olm check` in files and in several formats, its statistics and its exit status."""

import json
from pathlib import Path

import pytest

from olm.cli import FINE, MISUSE, PROBLEMS, main
from olm.cli.formats import names

GOOD = "kind: LinearLR\ntotal_steps: 100\n"
WRONG = "kind: LinearLR\ntotal_step: 100\n"
LATE = "kind: WarmupCosineScheduler\nwarmup_steps: 90\ntotal_steps: 100\n"


@pytest.fixture
def check(tmp_path, monkeypatch, capsys):
    """What runs `olm check` in a folder with specs."""
    monkeypatch.chdir(tmp_path)
    for name in ("FORCE_COLOR", "NO_COLOR", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(name, raising=False)
    for name, text in {"a": GOOD, "b": WRONG, "c": LATE, "d": WRONG + "x: 1\n"}.items():
        Path(f"{name}.olm.yaml").write_text(text)

    def run(*arguments):
        status = main(["check", *arguments])
        return status, *capsys.readouterr()

    return run


@pytest.mark.parametrize("form", names())
def test_a_file_has_the_bytes_that_standard_output_would_have(form, check, monkeypatch):
    _, shown, _ = check("--format", form)
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert check("--format", form, "--output-file", "out") == (PROBLEMS, "", "")
    assert Path("out").read_text(encoding="utf-8") == shown
    Path("out").unlink()
    assert check("--output-file", "out", "--format", form) == (PROBLEMS, "", "")
    assert Path("out").read_text(encoding="utf-8") == shown


@pytest.mark.parametrize("jobs", ["1", "0"])
def test_one_run_writes_several_formats(jobs, check):
    expected = {form: check("--format", form)[1] for form in ("json", "sarif", "junit", "github")}
    files = ["--format=sarif", "--output-file=s", "--format=junit", "--output-file=j"]
    status, out, error = check("--format=github", *files, "--jobs", jobs)
    assert (status, out, error) == (PROBLEMS, expected["github"], "")
    assert Path("s").read_text(encoding="utf-8") == expected["sarif"]
    assert Path("j").read_text(encoding="utf-8") == expected["junit"]
    assert check(*files, "--format=json")[1] == expected["json"]


def test_a_file_without_a_format_is_for_people(check):
    _, shown, _ = check()
    check("--output-file", "out")
    assert Path("out").read_text(encoding="utf-8") == shown


WRONG_USES = {
    "--format text --format json": "--format text, json: all but one need an --output-file after "
    "them",
    "--format json --output-file x --format sarif --output-file x": "--output-file x is given "
    "twice",
    "--output-file a.olm.yaml": "--output-file a.olm.yaml would overwrite a spec",
    "--output-file new.olm.json": "--output-file new.olm.json would overwrite a spec",
    "plain --output-file ./plain": "--output-file ./plain would overwrite a spec",
    "--output-file no/x": "cannot write no/x: no such file or directory",
    "--statistics --format json": "--statistics prints text: give --format json an --output-file",
}


@pytest.mark.parametrize(("arguments", "message"), WRONG_USES.items(), ids=WRONG_USES)
def test_a_report_that_cannot_be_written_is_misuse(arguments, message, check):
    Path("plain").write_text(GOOD)
    assert check(*arguments.split()) == (MISUSE, "", f"olm check: {message}\n")
    assert Path("a.olm.yaml").read_text() == GOOD


def test_statistics_count_the_findings_by_code(check):
    assert check("--statistics") == (
        PROBLEMS,
        "3  error[unknown-field]      an unknown field (`--fix` can fix 2)\n"
        "1  warning[warmup-too-long]  a warm-up that takes more than half of the run\n"
        "3 errors and 1 warning in 3 of 4 files\n",
        "",
    )
    assert check("--statistics", "a.olm.yaml") == (FINE, "1 file is fine\n", "")


def test_statistics_leave_the_report_to_a_file(check):
    _, out, _ = check("--statistics", "--format", "json", "--output-file", "out")
    assert out == check("--statistics", "--format", "concise")[1]
    assert len(json.loads(Path("out").read_text())["findings"]) == 4


def test_with_exit_zero_problems_do_not_fail_but_misuse_does(check):
    assert check("--exit-zero")[:2] == (FINE, check()[1])
    assert check("--exit-zero", "--strict", "c.olm.yaml")[0] == FINE
    assert check("--exit-zero", "--diff")[0] == FINE
    assert check("--exit-zero", "nothing")[0] == MISUSE
