"""Files that would hang or break a check of a folder: each is a finding, or is skipped."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from olm.cli.files.ignored import MOST_STARS, Patterns
from olm.problem import SpecError
from olm.spec.load import loads

ROOT = Path(__file__).resolve().parent.parent
SPEC = "kind: HoldLR\n"

TOML = {
    "a number of 5,000 digits": (f"kind='WarmupLR'\nwarmup_steps={'9' * 5000}", "number", 2),
    "the same with underscores": (f"kind='HoldLR'\nfactor={'9_' * 5000}9", "number", 2),
    "a key of 1,200 parts": (f"kind='HoldLR'\n{'.'.join('a' * 1200)}=1", "depth", 2),
    "300 brackets": (f"kind='HoldLR'\nfactor={'[' * 300}{']' * 300}", "depth", 2),
    "30,000 brackets": (f"kind='HoldLR'\nfactor={'[' * 30_000}{']' * 30_000}", "depth", 2),
    "300 braces": (f"kind='HoldLR'\na={'{a=' * 300}1{'}' * 300}", "depth", 2),
    "a date that does not exist": ("kind='HoldLR'\nfactor=1979-99-99", "syntax", 2),
}


@pytest.mark.parametrize(("text", "code", "line"), TOML.values(), ids=TOML)
def test_odd_toml_is_refused_with_its_line(text, code, line):
    with pytest.raises(SpecError) as refused:
        loads(text, "a.olm.toml")
    assert [(error.code, error.place.line) for error in refused.value.problems] == [(code, line)]


def test_a_table_of_1200_parts_is_refused_too():
    with pytest.raises(SpecError, match="must not be nested more than 64 deep"):
        loads(f"kind='HoldLR'\n[{'.'.join('a' * 1200)}]\nb=1", "a.olm.toml")


def checked(folder):
    """The end of ``olm check`` of a folder, which a special file would hold up for ever."""
    command = [sys.executable, "-m", "olm", "check", "."]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60
    )
    return done.returncode, done.stdout, done.stderr


def folder_with(tmp_path, files):
    (tmp_path / "good.olm.yaml").write_text(SPEC)
    for name, content in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if content is None:
            os.mkfifo(path)
        else:
            path.write_bytes(content)
    return tmp_path


SKIPPED = {
    "a pipe named like a spec": {"x.olm.yaml": None},
    "a pipe named pyproject.toml": {"pyproject.toml": None},
    "a pipe named .gitignore": {".git/HEAD": b"", ".gitignore": None},
    "a pipe named exclude": {".git/HEAD": b"", ".git/info/exclude": None},
    "a .git that is not UTF-8": {".git": b"\xe9"},
    "a .git with a NUL": {".git": b"gitdir: a\0b"},
    "a .git that names a pipe": {".git": b"gitdir: pipe", "pipe": None},
    "a commondir that is not UTF-8": {".git": b"gitdir: g", "g/commondir": b"\xff\0"},
    "a commondir that is a pipe": {".git": b"gitdir: g", "g/commondir": None},
    "a .gitignore that is not UTF-8": {".git/HEAD": b"", ".gitignore": b"\xff\xfe\0*.olm.yaml"},
    "a pattern that takes for ever": {".git/HEAD": b"", ".gitignore": b"*a" * 18 + b"b\n"},
}


@pytest.mark.parametrize("files", SKIPPED.values(), ids=SKIPPED)
def test_what_is_no_file_or_no_text_of_git_is_skipped(files, tmp_path):
    folder = folder_with(tmp_path, files)
    (folder / ("a" * 60 + ".olm.yaml")).write_text(SPEC)
    assert checked(folder) == (0, "2 files are fine\n", "")


def test_a_check_of_all_files_goes_on_after_each_odd_one(tmp_path):
    files = {f"{n}.olm.toml": text.encode() for n, (text, *_) in enumerate(TOML.values())}
    status, out, err = checked(folder_with(tmp_path, files))
    assert (status, err) == (1, "")
    assert out.endswith(f"{len(TOML)} problems in {len(TOML)} of {len(TOML) + 1} files\n")


@pytest.mark.parametrize("name", ["a" * 200 + "c", "a/" * 60 + "c"])
@pytest.mark.parametrize(
    "pattern", ["*a" * MOST_STARS + "b", "**/a/" * MOST_STARS + "b", "*" * MOST_STARS + "b"]
)
def test_the_slowest_patterns_that_are_allowed_end_in_time(pattern, name):
    assert not Patterns("/", [pattern]).cover(f"/{name}")


def test_a_pattern_with_more_stars_is_refused():
    with pytest.raises(ValueError, match="at most 4 stars in a name"):
        Patterns("/", ["*a" * (MOST_STARS + 1)])
