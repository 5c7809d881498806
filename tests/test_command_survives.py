"""Every verb under conditions in which a command cannot go on: one line, and status 2."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SPEC = "kind: LinearLR\ntotal_steps: 100\n"
STATE = ROOT / "tests" / "states" / "exponential.json"
VERBS = {
    "check": "check a.olm.yaml",
    "show": "show a.olm.yaml",
    "state": f"state {STATE}",
    "diff": "diff a.olm.yaml b.olm.yaml",
    "kinds": "kinds",
    "schema": "schema LinearLR",
    "explain": "explain range",
    "new": "new LinearLR",
}
"""A run of each verb that prints to standard output."""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a.olm.yaml").write_text(SPEC)
    (tmp_path / "b.olm.yaml").write_text(SPEC.replace("100", "50"))
    return tmp_path


def run(command, folder, **variables):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
    return subprocess.run(
        ["bash", "-c", command.replace("olm ", f"{sys.executable} -m olm ", 1)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("> /dev/full", "olm: cannot write the output: no space left on device\n"),
        (">&-", "olm: standard output is closed\n"),
    ],
    ids=["full", "closed"],
)
def test_output_that_cannot_be_written_is_reported(verb, output, message, folder):
    done = run(f"olm {VERBS[verb]} {output}", folder)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", message)


@pytest.mark.parametrize("verb", VERBS)
def test_a_closed_pipe_ends_the_command_without_a_word(verb, folder):
    done = run(f"olm {VERBS[verb]} | true; exit ${{PIPESTATUS[0]}}", folder)
    assert done.returncode in (0, 1, 141)
    assert done.stderr == ""


@pytest.mark.parametrize("verb", VERBS)
def test_closed_standard_error_changes_nothing(verb, folder):
    usual, closed = run(f"olm {VERBS[verb]}", folder), run(f"olm {VERBS[verb]} 2>&-", folder)
    assert (closed.returncode, closed.stdout) == (usual.returncode, usual.stdout)


HOSTILE = {
    "escapes": "a\x1b]0;x\x07.json",
    "a line break": "a\n::error::x.json",
    "reversed text": "a\u202e.json",
}


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("exists", [False, True])
@pytest.mark.parametrize("verb", ["check", "show", "state", "diff"])
def test_hostile_names_are_printed_without_their_power(verb, exists, name, tmp_path):
    if exists:
        (tmp_path / name).write_text("{}")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    others = [name] if verb == "diff" else []
    command = [sys.executable, "-m", "olm", verb, name, *others]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120
    )
    printed = done.stdout + done.stderr
    assert not {"\x1b", "\x07", "\u202e"} & set(printed)
    assert not any(line.startswith("::error") for line in printed.splitlines())
    assert "Traceback" not in printed


@pytest.mark.parametrize("name", ["nope-\x1b]0;x\x07-*", "nope\n::error::*"])
def test_hostile_patterns_that_match_nothing_are_printed_without_their_power(name, tmp_path):
    command = [sys.executable, "-m", "olm", "check", name]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 3
    assert "\x1b" not in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_difference_is_printed_without_characters_that_reverse_text(folder):
    (folder / "c.olm.yaml").write_text("# \u202e\tx\nkind: LinearLR\ntotal_steps: '100'\n")
    done = run("olm check --diff c.olm.yaml", folder)
    assert "\u202e" not in done.stdout
    assert " # \ufffd\tx\n" in done.stdout


@pytest.mark.parametrize(
    "name", ["--schema=z.olm.json", "--config=c.olm.toml", "--ignore=x.olm.yaml", "-q.olm.yaml"]
)
def test_a_name_of_a_file_is_no_option(name, folder):
    (folder / "bad.olm.yaml").write_text("kind: LinearLR\n")
    (folder / "z.olm.json").write_text("{}")
    (folder / "c.olm.toml").write_text("[tool.olm]\nselect = ['jump']\n")
    (folder / name).write_text("{}" if name.endswith("json") else "kind: HoldLR\n")
    done = run(f"olm check --force-exclude {name} bad.olm.yaml", folder)
    assert done.returncode == 1
    assert "error[missing-field]" in done.stdout


@pytest.mark.parametrize("file", ["<(cat a.olm.yaml)", "/dev/stdin < a.olm.yaml"])
@pytest.mark.parametrize("verb", ["show", "check"])
def test_a_spec_is_read_from_a_pipe(verb, file, folder):
    done = run(f"olm {verb} {file}", folder)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_device_without_end_is_a_finding(folder):
    done = run("olm show /dev/zero", folder)
    assert done.returncode == 1
    assert "/dev/zero:1:" in done.stdout


@pytest.mark.parametrize("kind", ["text", "binary"])
@pytest.mark.parametrize("file", ["<(cat {})", "/dev/stdin < {}"])
def test_a_state_is_read_from_a_pipe_once(file, kind, folder):
    path = STATE
    if kind == "binary":
        torch = pytest.importorskip("torch", reason="torch is not installed")
        path = folder / "state.pt"
        torch.save(json.loads(STATE.read_text()), path)
    usual, piped = run(f"olm state {path}", folder), run(f"olm state {file.format(path)}", folder)
    assert (piped.returncode, piped.stderr) == (0, "")
    assert piped.stdout.splitlines()[1:] == usual.stdout.splitlines()[1:]


def test_without_torch_its_lack_is_reported_in_one_line(folder):
    (folder / "torch.py").write_text("raise ImportError('No module named torch')\n")
    (folder / "state.pt").write_bytes(b"PK\x03\x04")
    done = run("olm state state.pt", folder, PYTHONPATH=f"{folder}{os.pathsep}{ROOT}")
    message = "olm.train needs torch, which is not installed: pip install 'olm-schedules[torch]'"
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"olm state: {message}\n"


@pytest.mark.parametrize("command", ["kinds", "kinds LinearLR", "schema", "new LinearLR"])
def test_optimized_python_prints_the_same(command, folder):
    usual = run(f"olm {command}", folder)
    for level in ("1", "2"):
        done = run(f"olm {command}", folder, PYTHONOPTIMIZE=level)
        assert (done.returncode, done.stdout) == (usual.returncode, usual.stdout)
