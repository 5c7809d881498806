"""The hooks, run by pre-commit from a copy of this repository, on real commits."""

import re
import subprocess
import sys

import pytest
import yaml

from checkout import ROOT, checkout, variables
from olm.cli.files.search import SUFFIXES

GOOD = "kind: LinearLR\ntotal_steps: 100\n"
WRONG = "kind: LinearLR\ntotal_step: 100\n"
SCHEMA = (ROOT / "schemas" / "schedule.schema.json").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """A copy of this repository, its commit, and a folder for installed hooks."""
    folder = checkout(tmp_path_factory.mktemp("olm"))
    for command in ("init -q .", "add --all", "commit -q -m all"):
        subprocess.run(["git", *command.split()], cwd=folder, env=variables(), check=True)
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=folder, capture_output=True, text=True)
    return folder, head.stdout.strip(), tmp_path_factory.mktemp("pre-commit")


@pytest.fixture
def commit(tmp_path, published):
    """Writes files in a repository with the hooks and commits them; returns status and output."""
    olm, revision, home = published
    environment = variables(PRE_COMMIT_HOME=str(home))

    def run(*command):
        told = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "encoding": "utf-8"}
        done = subprocess.run(command, cwd=tmp_path, env=environment, **told)
        return done.returncode, done.stdout

    def commit(files, hooks="[{id: olm-check}, {id: olm-schema-drift}]"):
        config = f"repos: [{{repo: {olm.as_uri()}, rev: {revision}, hooks: {hooks}}}]\n"
        for name, text in {".pre-commit-config.yaml": config, **files}.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text, encoding="utf-8")
        run("git", "add", "--all")
        return run("git", "commit", "-m", "some specs")

    assert run("git", "init", "-q", ".")[0] == 0
    assert run(sys.executable, "-m", "pre_commit", "install")[0] == 0
    return commit


@pytest.fixture
def olm_of_the_hooks(tmp_path, published):
    """Runs the command `olm` that pre-commit installed."""

    def run(*arguments):
        (olm,) = published[2].glob("repo*/py_env-*/bin/olm")
        subprocess.run([olm, *arguments], cwd=tmp_path, env=variables(), check=True)

    return run


def said(output):
    """The result of each hook: its name → Passed, Failed or Skipped."""
    return dict(re.findall(r"^(olm [a-z -]+?)\.+(?:\(.*\))?(\w+)$", output, re.MULTILINE))


def test_an_invalid_spec_is_not_committed_until_it_is_fixed(commit):
    status, output = commit({"my specs/run 7.olm.yaml": WRONG, "specs/fine.olm.yaml": GOOD})
    assert status == 1
    assert said(output) == {"olm check": "Failed", "olm schema --check": "Skipped"}
    assert "- exit code: 1\n" in output
    assert "\nmy specs/run 7.olm.yaml:2:1: error[unknown-field]: LinearLR has no field" in output
    assert "\n1 problem in 1 of 2 files\n" in output
    status, output = commit({"my specs/run 7.olm.yaml": GOOD})
    assert (status, said(output)["olm check"]) == (0, "Passed")
    assert " 3 files changed" in output


@pytest.mark.parametrize("suffix", ["yaml", "yml", "json", "toml"])
def test_a_spec_is_recognized_by_its_name(suffix, commit):
    status, output = commit({f"a.olm.{suffix}": "kind = 1\n"})
    assert (status, said(output)["olm check"]) == (1, "Failed")
    assert f"\na.olm.{suffix}:1:" in output


def test_other_files_are_not_checked(commit):
    status, output = commit({"a.yaml": WRONG, "olm.yaml": WRONG, "a.olm.yaml.bak": WRONG})
    assert (status, set(said(output).values())) == (0, {"Skipped"})


def test_files_that_the_project_excludes_are_skipped(commit):
    project = '[tool.olm]\nexclude = ["drafts/"]\n'
    status, output = commit({"pyproject.toml": project, "drafts/a.olm.yaml": WRONG})
    assert (status, said(output)["olm check"]) == (0, "Passed")
    status, output = commit({"a.olm.yaml": WRONG})
    assert status == 1
    assert "drafts" not in output.partition("olm check")[2]


def test_a_schedule_in_a_larger_file_is_checked_at_the_path_in_the_settings(commit):
    project = '[tool.olm.at]\n"conf/*.yaml" = "optim.lr"\n'
    conf = "model: large\noptim:\n  lr: {kind: LinearLR, total_steps: 0}\n"
    hooks = "[{id: olm-check, files: '^conf/', args: [--strict]}]"
    status, output = commit({"pyproject.toml": project, "conf/a.yaml": conf}, hooks)
    assert status == 1
    assert "\nconf/a.yaml:3:37: error[range]: total_steps must be at least 1, found 0\n" in output


def test_a_stale_schema_is_not_committed_until_it_is_regenerated(commit, olm_of_the_hooks):
    old = SCHEMA.replace("LinearLR", "LinearerLR")
    status, output = commit({"schemas/schedule.schema.json": old})
    assert status == 1
    assert said(output) == {"olm check": "Skipped", "olm schema --check": "Failed"}
    renew = re.search(r"update it with `olm (schema --out \S+)`", output)
    assert output.count("schemas/schedule.schema.json: ") == 1
    olm_of_the_hooks(*renew[1].split())
    status, output = commit({})
    assert (status, said(output)["olm schema --check"]) == (0, "Passed")


def test_a_schema_of_one_kind_is_compared_with_that_kind(commit, olm_of_the_hooks):
    hooks = "[{id: olm-schema-drift, args: [LinearLR, --check], files: '^linear.json$'}]"
    assert commit({"linear.json": SCHEMA}, hooks)[0] == 1
    olm_of_the_hooks("schema", "LinearLR", "--out", "linear.json")
    assert commit({}, hooks)[0] == 0


def test_the_hooks_do_without_torch(commit, published):
    assert commit({"a.olm.yaml": GOOD})[0] == 0
    packages = {
        path.name for path in published[2].glob("repo*/py_env-*/lib/python*/site-packages/*")
    }
    assert "pydantic" in packages
    assert "torch" not in packages


def test_the_hook_checks_every_file_that_olm_finds():
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    files = {hook["id"]: hook["files"] for hook in hooks}
    assert files.keys() == {"olm-check", "olm-schema-drift"}
    assert all(re.search(files["olm-check"], f"specs/a{suffix}") for suffix in SUFFIXES)
