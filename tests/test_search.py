"""Which files are checked: named, found, matched, ignored by git and excluded ones."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from olm.cli import FINE, MISUSE, NOTHING_MATCHED, PROBLEMS, Misuse, NothingMatched, main
from olm.cli.files.ignored import Patterns
from olm.cli.files.search import Choice, files

SPEC = "kind: LinearLR\ntotal_steps: 100\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder, and a function that creates files in it."""
    monkeypatch.chdir(tmp_path)
    return lambda texts: written(tmp_path, texts)


def written(root, texts):
    for name, text in texts.items():
        path = Path(root, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def git(root, *arguments, **options):
    # The settings of the user and of the machine are ignored.
    alone = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    command = ["git", "-c", "core.excludesFile=", *arguments]
    return subprocess.run(
        command, cwd=root, env=os.environ | alone, capture_output=True, text=True, **options
    )


def specs(*names):
    return dict.fromkeys(names, SPEC)


def without(*patterns, force=False):
    return Choice(exclude=(Patterns(str(Path.cwd().resolve()), patterns),), force=force)


def test_a_pattern_that_the_shell_did_not_expand_is_matched(folder):
    folder(specs("conf/a.yaml", "conf/b/c/d.yaml", "conf/b/e.yml", "other/f.yaml"))
    assert files(["conf/**/*.yaml"]) == ["conf/a.yaml", "conf/b/c/d.yaml"]
    assert files(["conf/b/?.y[am]l"]) == ["conf/b/e.yml"]


def test_a_folder_that_a_pattern_matches_is_searched(folder):
    folder(specs("a1/x.olm.yaml", "a1/x.yaml", "a2/b/y.olm.json", "b/z.olm.yaml"))
    assert files(["a*"]) == ["a1/x.olm.yaml", "a2/b/y.olm.json"]


def test_a_pattern_that_matches_nothing_gives_status_3(folder, capsys):
    folder(specs("a.olm.yaml"))
    assert main(["check", "a.olm.yaml", "conf/**/*.yaml"]) == NOTHING_MATCHED
    assert capsys.readouterr() == ("", "olm check: nothing matches conf/**/*.yaml\n")
    assert main(["check", "nope/**"]) == NOTHING_MATCHED
    assert capsys.readouterr() == ("", "olm check: nothing matches nope/**\n")
    with pytest.raises(NothingMatched):
        files(["*.json"])


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(folder):
    folder(specs("a[1].yaml", "a1.yaml"))
    assert files(["a[1].yaml"]) == ["a[1].yaml"]


def test_a_path_without_a_pattern_must_exist(folder):
    with pytest.raises(Misuse, match=r"no such file or folder: a\.yaml"):
        files(["a.yaml"])


def test_a_folder_is_searched_for_toml_too(folder):
    folder({"a.olm.toml": 'kind = "LinearLR"\ntotal_steps = 100\n', "b.toml": "x = 1\n"})
    assert files(["."]) == ["a.olm.toml"]
    assert main(["check", "."]) == FINE


def test_excluded_files_are_not_found_but_can_be_named(folder):
    folder(specs("a.olm.yaml", "old/b.olm.yaml", "c.draft.olm.yaml", "d/old/e.olm.yaml"))
    choice = without("/old/", "*.draft.olm.yaml")
    assert files(["."], choice) == ["a.olm.yaml", "d/old/e.olm.yaml"]
    assert files(["old", "c.draft.olm.yaml"], choice) == ["c.draft.olm.yaml"]
    assert files(["**/*.olm.yaml"], choice) == ["a.olm.yaml", "d/old/e.olm.yaml"]
    assert files(["old/b.olm.yaml"], choice) == ["old/b.olm.yaml"]


def test_with_force_exclude_named_files_are_skipped_too(folder):
    folder(specs("a.olm.yaml", "old/b.olm.yaml"))
    choice = without("old/", force=True)
    assert files(["a.olm.yaml", "old/b.olm.yaml", "old"], choice) == ["a.olm.yaml"]


def test_a_hook_that_names_only_excluded_files_passes(folder, capsys):
    folder({"old/b.olm.yaml": "kind: no\n"})
    command = ["check", "old/b.olm.yaml", "--exclude", "old"]
    assert main(command) == PROBLEMS
    capsys.readouterr()
    assert main([*command, "--force-exclude"]) == FINE
    assert capsys.readouterr() == ("0 files are fine\n", "")


def test_a_later_pattern_can_negate_an_earlier_one(folder):
    folder(specs("a.olm.yaml", "b.olm.yaml"))
    assert files(["."], without("*.olm.yaml", "!b.olm.yaml")) == ["b.olm.yaml"]


def test_an_invalid_pattern_is_misuse(folder, capsys):
    folder(specs("a.olm.yaml"))
    assert main(["check", ".", "--exclude", "!"]) == MISUSE
    assert capsys.readouterr().err.startswith("olm check: --exclude: ")


def test_files_that_git_ignores_are_not_found_but_can_be_named(folder, tmp_path):
    git(tmp_path, "init", check=True)
    folder(specs("a.olm.yaml", "runs/b.olm.yaml", "c/runs/d.olm.yaml", "c/keep.olm.yaml"))
    folder({".gitignore": "runs/\n", "c/.gitignore": "*.yaml\n!keep.olm.yaml\n"})
    assert files(["."]) == ["a.olm.yaml", "c/keep.olm.yaml"]
    assert files(["runs/b.olm.yaml"]) == ["runs/b.olm.yaml"]


def test_ignore_files_above_the_folder_count(folder, tmp_path):
    git(tmp_path, "init", check=True)
    folder(specs("a/b/c.olm.yaml", "a/b/d.olm.yaml", "a/b/e.olm.yaml", "a/b/f.olm.yaml"))
    folder({".gitignore": "c.olm.yaml\n", "a/.gitignore": "/b/d.olm.yaml\n"})
    folder({".git/info/exclude": "e.olm.yaml\n"})
    assert files(["a/b"]) == ["a/b/f.olm.yaml"]


def test_a_folder_that_is_ignored_is_searched_if_it_is_named(folder, tmp_path):
    git(tmp_path, "init", check=True)
    folder(specs("runs/a.olm.yaml", "runs/b/c.olm.yaml", "runs/tmp/d.olm.yaml"))
    folder({".gitignore": "runs\n", "runs/.gitignore": "tmp\n"})
    assert files(["."]) == []
    assert files(["runs"]) == ["runs/a.olm.yaml", "runs/b/c.olm.yaml"]
    assert files(["runs/b"]) == ["runs/b/c.olm.yaml"]


def test_without_a_repository_only_ignore_files_from_the_folder_down_count(folder):
    folder(specs("a/b.olm.yaml", "a/c.olm.yaml"))
    folder({".gitignore": "b.olm.yaml\n", "a/.gitignore": "c.olm.yaml\n"})
    assert files(["a"]) == ["a/b.olm.yaml"]


def test_a_repository_inside_another_has_its_own_rules(folder, tmp_path):
    folder(specs("a.olm.yaml", "sub/a.olm.yaml", "sub/b.olm.yaml"))
    folder({".gitignore": "a.olm.yaml\n", "sub/.gitignore": "b.olm.yaml\n"})
    for root in (tmp_path, tmp_path / "sub"):
        git(root, "init", check=True)
    assert files(["."]) == ["sub/a.olm.yaml"]


def test_a_worktree_has_the_exclusions_of_its_repository(folder, tmp_path):
    folder(specs("main/a.olm.yaml"))
    git(tmp_path / "main", "init", check=True)
    who = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
    git(tmp_path / "main", *who, "commit", "--allow-empty", "-m", "a", check=True)
    git(tmp_path / "main", "worktree", "add", "../tree", check=True)
    folder(specs("tree/b.olm.yaml", "tree/c.olm.yaml"))
    folder({"main/.git/info/exclude": "c.olm.yaml\n"})
    assert files(["tree"]) == ["tree/b.olm.yaml"]


def test_odd_lines_of_gitignore_are_read_as_git_does(folder, tmp_path):
    git(tmp_path, "init", check=True)
    names = ["a.olm.yaml", "b.olm.yaml", "#c.olm.yaml", "d.olm.yaml", "é.olm.yaml"]
    folder(specs(*names))
    text = "\ufeffa.olm.yaml\r\n!\n\\\n# b.olm.yaml\n\\#c.olm.yaml\né.olm.yaml   \n"
    (tmp_path / ".gitignore").write_bytes(text.encode())
    assert files(["."]) == ["b.olm.yaml", "d.olm.yaml"] == untracked(tmp_path)


def test_a_gitignore_that_is_not_a_file_is_skipped(folder, tmp_path):
    folder(specs(".gitignore/a", "b.olm.yaml"))
    assert files(["."]) == ["b.olm.yaml"]


def test_pathspec_is_imported_only_if_there_are_patterns(folder, tmp_path):
    folder(specs("a/b.olm.yaml"))
    code = "import sys; from olm.cli.files.search import files; files(['a']); print(*sys.modules)"
    command = [sys.executable, "-c", code]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert {"pathspec", "glob", "tomllib"}.isdisjoint(loaded)


NAMES = st.sampled_from(["a", "b", "ab", "c"])
SEGMENTS = st.sampled_from(["a", "b", "ab", "c", "*", "a*", "?", "**", "[ab]", "x.olm.yaml"])
LINES = st.builds(
    lambda no, first, parts, last: no + first + "/".join(parts) + last,
    st.sampled_from(["", "", "!"]),
    st.sampled_from(["", "", "/"]),
    st.lists(SEGMENTS, min_size=1, max_size=3),
    st.sampled_from(["", "", "/"]),
)
RULES = st.lists(LINES, max_size=5).map("\n".join)
FOLDERS = st.lists(NAMES, max_size=3).map("/".join)


def untracked(root, *paths):
    """The files in a folder that git does not ignore, in our order."""
    command = ["ls-files", "-z", "--others", "--exclude-standard", "--", *paths]
    names = git(root, *command, check=True).stdout.split("\0")
    found = [name for name in names if name.endswith(".olm.yaml")]
    return sorted(found, key=lambda name: (Path(name).parent.parts, name))


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(FOLDERS, RULES, max_size=3),
    RULES,
    st.lists(FOLDERS, min_size=1, max_size=8, unique=True),
)
def test_the_files_found_are_those_of_git(tmp_path_factory, ignores, exclude, places):
    root = tmp_path_factory.mktemp("repository")
    git(root, "init", "--quiet", check=True)
    written(root, {f"{place}/x.olm.yaml".lstrip("/"): SPEC for place in places})
    written(root, {f"{place}/.gitignore".lstrip("/"): rules for place, rules in ignores.items()})
    written(root, {".git/info/exclude": exclude})
    found = [str(Path(path).relative_to(root)) for path in files([str(root)])]
    assert set(found) == set(untracked(root))
    # Also from inside a folder that git does not ignore as a whole.
    for place in {place for place in places if place}:
        if git(root, "check-ignore", "--quiet", "--no-index", place).returncode == 1:
            inside = [str(Path(path).relative_to(root)) for path in files([str(root / place)])]
            assert set(inside) == set(untracked(root, place))
