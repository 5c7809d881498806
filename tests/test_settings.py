"""The settings of a project in its pyproject.toml, and their precedence."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from olm.cli import FINE, MISUSE, NOTHING_MATCHED, PROBLEMS, Misuse, main
from olm.cli.files.setting_values import READERS
from olm.cli.files.settings import Settings, settings

GOOD = "kind: LinearLR\ntotal_steps: 100\n"
WRONG = "kind: LinearLR\ntotal_step: 100\n"
LATE = "kind: WarmupCosineScheduler\nwarmup_steps: 90\ntotal_steps: 100\n"
"""A spec with a warning: its warm-up is longer than half of the run."""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder, and a function that creates files in it."""
    monkeypatch.chdir(tmp_path)
    for name in ("FORCE_COLOR", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)

    def make(texts):
        for name, text in texts.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

    return make


def said(text):
    return {"pyproject.toml": f"[tool.olm]\n{text}\n"}


def checked(capsys, *arguments):
    status = main(["check", "--format", "concise", *arguments])
    out, error = capsys.readouterr()
    return status, out, error


def test_excluded_folders_are_not_searched(folder, capsys):
    folder({"a.olm.yaml": GOOD, "old/b.olm.yaml": WRONG} | said('exclude = ["old/"]'))
    assert checked(capsys, ".") == (FINE, "1 file is fine\n", "")
    assert checked(capsys, ".", "--isolated")[0] == PROBLEMS
    assert checked(capsys, "old/b.olm.yaml")[0] == PROBLEMS
    assert checked(capsys, "old/b.olm.yaml", "--force-exclude")[0] == FINE


def test_patterns_are_relative_to_the_folder_of_the_file(folder, capsys, monkeypatch, tmp_path):
    folder({"sub/old/b.olm.yaml": WRONG, "sub/a.olm.yaml": GOOD} | said('exclude = ["/sub/old"]'))
    monkeypatch.chdir(tmp_path / "sub")
    assert checked(capsys, ".")[1] == "1 file is fine\n"
    assert checked(capsys, "..")[1] == "1 file is fine\n"


def test_exclusions_of_the_command_line_add_to_those_of_the_project(folder, capsys):
    folder(dict.fromkeys(["a.olm.yaml", "b.olm.yaml"], WRONG) | {"c.olm.yaml": GOOD})
    folder(said('exclude = ["a.*"]'))
    assert checked(capsys, ".", "--exclude", "b.*")[1] == "1 file is fine\n"


def test_patterns_map_files_to_paths_inside(folder, capsys):
    folder({"conf/a.yaml": "optim: {lr: {kind: LinearLR, total_steps: 0}}\nother: !x 1\n"})
    folder({"conf/b.json": '{"optim": 1}', "c.olm.yaml": GOOD})
    folder(said('at = {"conf/*.yaml" = "optim.lr"}'))
    for named in (["."], ["conf/a.yaml", "c.olm.yaml"], ["conf/*.yaml", "c.olm.yaml"]):
        status, out, _ = checked(capsys, *named)
        lines = out.splitlines()
        assert (status, len(lines)) == (PROBLEMS, 2)
        assert lines[0].startswith("conf/a.yaml:1:43: error[range]: total_steps must be at least 1")
        assert lines[1].endswith("in 1 of 2 files")
    assert "there is no `schedule`" in checked(capsys, "conf/a.yaml", "--at", "schedule")[1]


def test_the_name_of_standard_input_is_mapped_too(folder, tmp_path):
    folder(said('at = {"conf/*.yaml" = "lr"}'))
    command = [sys.executable, "-m", "olm", "check", "-", "--stdin-filename", "conf/a.yaml"]
    options = {"cwd": tmp_path, "capture_output": True, "text": True}
    done = subprocess.run(command, input="lr: {kind: LinearLR, total_steps: 0}", **options)
    assert done.stdout.startswith("conf/a.yaml:1:35: error[range]")


def test_warnings_are_selected(folder, capsys):
    folder({"a.olm.yaml": LATE})
    assert checked(capsys, ".")[0] == FINE
    assert "warning[warmup-too-long]" in checked(capsys, ".")[1]
    assert checked(capsys, ".", "--strict")[0] == PROBLEMS
    assert checked(capsys, ".", "--strict", "--ignore", "warmup-too-long")[0] == FINE
    assert checked(capsys, ".", "--strict", "--select", "jump, late-rise")[0] == FINE
    folder(said('strict = true\nignore = ["jump"]'))
    assert checked(capsys, ".")[0] == PROBLEMS
    assert checked(capsys, ".", "--no-strict")[0] == FINE
    folder(said('strict = true\nignore = ["warmup-too-long"]'))
    assert checked(capsys, ".")[0] == FINE
    assert checked(capsys, ".", "--ignore", "jump")[0] == PROBLEMS


def test_lint_is_enabled_by_either(folder, capsys):
    folder({"a.olm.yaml": "kind: ConstantLR\nfactor: 0.0\ntotal_iters: 9\n"})
    quiet = checked(capsys, ".")[1]
    loud = checked(capsys, ".", "--lint")[1]
    assert loud != quiet
    folder(said("lint = true"))
    assert checked(capsys, ".")[1] == loud
    assert checked(capsys, ".", "--no-lint")[1] == quiet


@pytest.mark.parametrize("where", ["command line", "pyproject.toml"])
def test_an_unknown_code_is_misuse(where, folder, capsys):
    folder({"a.olm.yaml": GOOD})
    folder(said('select = ["late-raise"]') if where == "pyproject.toml" else {})
    given = ["--select", "late-raise"] if where == "command line" else []
    status, out, error = checked(capsys, ".", *given)
    assert (status, out) == (MISUSE, "")
    assert error == "olm check: there is no warning `late-raise`: did you mean `late-rise`?\n"


MISTAKES = {
    'exlude = ["a"]': "[tool.olm] has an unknown key `exlude`: did you mean `exclude`?",
    "zzz = 1": f"[tool.olm] has an unknown key `zzz`: its keys are {', '.join(READERS)}",
    'exclude = "a"': '[tool.olm] exclude must be a list of strings, such as ["old/"], found the '
    "string 'a'",
    "ignore = [1]": '[tool.olm] ignore must be a list of strings, such as ["old/"], found a list',
    "lint = 1": "[tool.olm] lint must be true or false, found 1",
    "jobs = true": "[tool.olm] jobs must be a whole number, or 0 for one process per core, "
    "found true",
    "jobs = -1": "[tool.olm] jobs must be a whole number, or 0 for one process per core, found -1",
    'at = "a"': '[tool.olm] at must be a table of patterns and places, such as "conf/*.yaml" = '
    "\"optim.lr\", found the string 'a'",
    'at = {a = "b..c"}': "[tool.olm] at must be a table of patterns and places, such as "
    '"conf/*.yaml" = "optim.lr", found a mapping',
    "clock = 3": "[tool.olm] clock must be a table such as {total_steps = 100000}, found 3",
    "clock = {total_step = 3}": "[tool.olm] clock: a clock has no field `total_step`",
    "clock = {total_steps = 0}": "[tool.olm] clock: total_steps must be at least 1, found 0",
    "clock = {samples_per_step = 9, tokens_per_step = 8}": "[tool.olm] clock: tokens_per_step (8) "
    "must not be below samples_per_step (9): a sample has at least 1 token",
    "at = {a = 1}": "[tool.olm] at must be a table of patterns and places, such as "
    '"conf/*.yaml" = "optim.lr", found a mapping',
}


@pytest.mark.parametrize(("text", "message"), MISTAKES.items(), ids=MISTAKES)
def test_an_error_is_misuse_that_names_file_line_and_key(text, message, folder, capsys):
    folder({"a.olm.yaml": GOOD} | said(f"\n# hello\n{text}"))
    assert checked(capsys, ".") == (MISUSE, "", f"olm check: pyproject.toml:4: {message}\n")


def test_a_section_that_is_not_a_table_is_misuse(folder, capsys):
    folder({"a.olm.yaml": GOOD, "pyproject.toml": "[tool]\nother = 1\nolm = 3  # tool.olm\n"})
    message = "olm check: pyproject.toml:3: [tool.olm] must be a table, found 3\n"
    assert checked(capsys, ".") == (MISUSE, "", message)


def test_invalid_toml_is_misuse(folder, capsys):
    folder({"a.olm.yaml": GOOD, "pyproject.toml": "[tool.olm\n"})
    status, _, error = checked(capsys, ".")
    assert (status, error[:41]) == (MISUSE, "olm check: cannot read pyproject.toml: Ex")


@pytest.mark.parametrize("text", ["", "[tool.olm]\njobs = 2\n"])
@pytest.mark.parametrize("arguments", [[], ["--config", "pyproject.toml"]])
def test_a_file_that_is_too_large_is_not_parsed(text, arguments, folder, capsys, monkeypatch):
    monkeypatch.setattr("tomllib.loads", None)
    folder({"a.olm.yaml": GOOD, "pyproject.toml": text + "#" * (2**20 + 1)})
    message = "olm check: cannot read pyproject.toml: it has more than 1,048,576 bytes\n"
    assert checked(capsys, ".", *arguments) == (MISUSE, "", message)


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="this system has no /dev/zero")
def test_a_file_without_an_end_is_too_large(capsys):
    message = "olm check: cannot read /dev/zero: it has more than 1,048,576 bytes\n"
    assert checked(capsys, ".", "--config", "/dev/zero") == (MISUSE, "", message)


def test_a_file_of_the_largest_size_is_read(folder):
    text = "[tool.olm]\njobs = 2\n"
    folder({"pyproject.toml": text + "#" * (2**20 - len(text))})
    assert settings().jobs == 2


def test_the_nearest_file_with_the_section_counts(folder, monkeypatch, tmp_path):
    folder({"pyproject.toml": "[tool.olm]\njobs = 1\n", "a/pyproject.toml": "[tool.olm]\njobs=2\n"})
    folder({"a/b/pyproject.toml": "[project]\n", "a/b/c/pyproject.toml": "# tool.olm\n"})
    folder({"a/b/c/d/x": ""})
    monkeypatch.chdir(tmp_path / "a" / "b" / "c" / "d")
    assert settings() == Settings(str(tmp_path / "a" / "pyproject.toml"), jobs=2)
    monkeypatch.chdir(tmp_path)
    assert settings() == Settings("pyproject.toml", jobs=1)
    assert settings(isolated=True) == Settings()


def test_each_file_has_the_settings_of_the_nearest_file_with_them(folder, capsys):
    folder(dict.fromkeys(["a.olm.yaml", "x/b.olm.yaml", "x/y/c.olm.yaml", "z/d.olm.yaml"], LATE))
    folder({"x/olm.toml": 'ignore = ["warmup-too-long"]\n', "x/y/pyproject.toml": "[project]\n"})
    folder({"z/pyproject.toml": "[tool.olm]\nstrict = true\n"})
    status, out, _ = checked(capsys)
    named = [line.partition(":")[0] for line in out.splitlines()[:-1]]
    assert (status, named) == (PROBLEMS, ["a.olm.yaml", "z/d.olm.yaml"])
    assert checked(capsys, "a.olm.yaml")[0] == FINE
    assert checked(capsys, "--no-strict")[0] == FINE
    assert checked(capsys, "x", "--strict")[0] == FINE
    assert checked(capsys, "x", "--strict", "--isolated")[0] == PROBLEMS
    assert checked(capsys, "--strict", "--ignore", "warmup-too-long")[0] == FINE


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_hook_at_the_root_checks_as_each_part_does(jobs, folder, capsys):
    wrong = "optim: {lr: {kind: LinearLR, total_steps: 0}}\n"
    parts = [f"parts/{number:02}" for number in range(60)]
    folder({f"{part}/conf/a.yaml": wrong for part in parts})
    folder({f"{part}/old/b.olm.yaml": WRONG for part in parts})
    section = '[tool.olm]\nexclude = ["/old"]\nat = {"/conf/*.yaml" = "optim.lr"}\n'
    folder({f"{part}/pyproject.toml": section for part in parts})
    names = [f"{part}/{name}" for part in parts for name in ("conf/a.yaml", "old/b.olm.yaml")]
    expected = [f"{part}/conf/a.yaml:1:43: error[range]" for part in parts]
    for paths in (["."], ["parts/*"], ["--force-exclude", *names]):
        status, out, _ = checked(capsys, "--jobs", jobs, *paths)
        lines = out.splitlines()
        assert status == PROBLEMS
        assert [line.partition(": total")[0] for line in lines[:-1]] == expected
        assert lines[-1] == "60 problems in 60 of 60 files"


def test_excluding_files_of_a_part_does_not_exclude_others(folder, capsys):
    folder(dict.fromkeys(["a/x.olm.yaml", "b/x.olm.yaml"], WRONG))
    folder({"a/olm.toml": 'exclude = ["x.*"]\n'})
    status, out, _ = checked(capsys)
    assert (status, out.splitlines()[-1]) == (PROBLEMS, "1 problem in 1 file")
    # A folder that is excluded from above is not searched, whatever its own settings.
    folder({"olm.toml": 'exclude = ["b"]\n', "b/olm.toml": "exclude = []\n"})
    assert checked(capsys)[0] == NOTHING_MATCHED


def test_the_own_file_of_olm_wins_over_pyproject(folder):
    folder({"olm.toml": "jobs = 3\n"} | said("jobs = 2"))
    assert settings() == Settings("olm.toml", jobs=3)
    folder({"olm.toml": "[tool.olm]\njobs = 4\n"})
    assert settings() == Settings("olm.toml", jobs=4)
    folder({"olm.toml": ""})
    assert settings() == Settings("olm.toml")


def test_an_error_in_the_settings_of_a_part_names_its_file(folder, capsys):
    folder({"a.olm.yaml": WRONG, "p/olm.toml": "# hello\nlint = 1\n", "p/b.olm.yaml": WRONG})
    message = "olm check: p/olm.toml:2: olm.toml lint must be true or false, found 1\n"
    assert checked(capsys) == (MISUSE, "", message)
    assert checked(capsys, "p/b.olm.yaml") == (MISUSE, "", message)
    assert checked(capsys, "a.olm.yaml")[0] == PROBLEMS


def test_a_file_without_the_section_is_not_parsed(folder):
    folder({"pyproject.toml": "this is no TOML"})
    assert settings().file == ""


def test_another_file_can_be_named(folder):
    folder({"conf/olm.toml": "[tool.olm]\njobs = 3\n", "none.toml": "", "pyproject.toml": "["})
    assert settings("conf/olm.toml").jobs == 3
    assert settings("conf/olm.toml").folder == str(Path("conf").resolve())
    with pytest.raises(Misuse, match=r"none.toml has no \[tool.olm\]"):
        settings("none.toml")
    with pytest.raises(Misuse, match=r"cannot read .*gone\.toml: no such file or directory"):
        settings("gone.toml")


def test_a_byte_order_mark_is_accepted(folder, tmp_path):
    (tmp_path / "pyproject.toml").write_bytes(b"\xef\xbb\xbf[tool.olm]\njobs = 2\n")
    assert settings().jobs == 2


def test_every_setting_is_read():
    fields = set(Settings._fields) - {"file"}
    assert set(READERS) == fields


def test_config_and_isolated_exclude_each_other(capsys):
    assert main(["check", ".", "--config", "a", "--isolated"]) == MISUSE
    assert "not allowed with" in capsys.readouterr().err


WAITS = "kind: WarmupCosineScheduler\nwarmup_steps: 300\ntotal_steps: 100%\n"
"""A spec with a duration, and a warm-up that is too long for a short run."""


def test_the_clock_comes_from_the_command_line_the_file_or_the_project_in_this_order(
    folder, capsys
):
    folder({"a.olm.yaml": WAITS})
    assert checked(capsys, ".", "--lint") == (FINE, "1 file is fine\n", "")
    folder(said("clock = {total_steps = 250}"))
    status, out, _ = checked(capsys, ".")
    assert (status, out.count("error[rule]: warmup_steps (300) must be below")) == (PROBLEMS, 1)
    folder({"a.olm.yaml": WAITS + "clock: {total_steps: 500}\n"})
    status, out, error = checked(capsys, ".")
    assert (status, out.count("the warm-up takes 300 of 500 steps"), error) == (FINE, 1, "")
    assert checked(capsys, ".", "--total-steps", "5000")[:2] == (FINE, "1 file is fine\n")


def test_the_project_completes_the_clock_of_a_file(folder, capsys):
    folder({"a.olm.yaml": "kind: LinearLR\ntotal_steps: 2ep\nclock: {total_steps: 500}\n"})
    folder(said("clock = {total_steps = 9, steps_per_epoch = 200}"))
    status, out, _ = checked(capsys, ".")
    assert status == FINE
    assert "ends-elsewhere]: the schedule ends at step 400, but the run at step 500" in out


def test_clocks_that_contradict_each_other_are_a_problem_of_the_file(folder, capsys):
    folder({"a.olm.yaml": "kind: LinearLR\ntotal_steps: 9\nclock: {tokens_per_step: 8}\n"})
    status, out, _ = checked(capsys, ".", "--samples-per-step", "9")
    assert status == PROBLEMS
    assert "a.olm.yaml:3:26: error[rule]: tokens_per_step (8) must not be below" in out


@pytest.mark.parametrize("jobs", ["1", "3"])
def test_a_clock_that_differs_from_that_of_the_file_is_reported_with_the_findings(
    jobs, folder, capsys
):
    folder({f"{n:03}.olm.yaml": WAITS + f"clock: {{total_steps: {n}000}}\n" for n in range(1, 120)})
    arguments = ["check", ".", "--total-steps", "7000", "--jobs", jobs, "--format", "json"]
    assert main(arguments) == FINE
    out, error = capsys.readouterr()
    assert json.loads(out)["summary"]["files"] == 119
    lines = error.splitlines()
    assert lines[0] == (
        "olm check: 001.olm.yaml: clock.total_steps: the spec was written for 1,000, "
        "this run has 7,000"
    )
    assert len(lines) == 118


@pytest.mark.parametrize("jobs", ["1", "3"])
def test_lint_reports_how_many_files_it_could_not_evaluate(jobs, folder, capsys):
    folder({f"{n:03}.olm.yaml": WAITS if n % 3 else GOOD for n in range(120)})
    assert main(["check", ".", "--lint", "--jobs", jobs]) == FINE
    assert capsys.readouterr().out.splitlines() == [
        "120 files are fine",
        "rates not checked in 80 files: run length unknown",
    ]
    assert main(["check", ".", "--lint", "--total-steps", "1000"]) == FINE
    assert "not checked" not in capsys.readouterr().out
    assert main(["check", "001.olm.yaml"]) == FINE
    assert capsys.readouterr().out == "1 file is fine\n"


def test_an_impossible_clock_is_misuse(folder, capsys):
    folder({"a.olm.yaml": WAITS})
    status, out, error = checked(capsys, ".", "--total-steps", "0")
    assert (status, out) == (MISUSE, "")
    assert error == "olm check: --total-steps: total_steps must be at least 1, found 0\n"


def test_an_insufficient_clock_is_a_problem_with_a_place(folder, capsys):
    folder({"a.olm.yaml": WAITS})
    status, out, _ = checked(capsys, ".", "--tokens-per-step", "100")
    assert (status, out.splitlines()[0][:30]) == (PROBLEMS, "a.olm.yaml:3:14: error[clock]:")
