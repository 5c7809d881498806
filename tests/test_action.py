"""The action in tools/action: its steps run as on GitHub, and linters find nothing."""

import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

from checkout import ROOT, checkout, variables

ACTION = ROOT / "tools" / "action" / "action.yml"
SAID = yaml.safe_load(ACTION.read_text(encoding="utf-8"))
INSTALL, CHECK = SAID["runs"]["steps"]

GOOD = "kind: LinearLR\ntotal_steps: 100\n"
WRONG = "kind: LinearLR\ntotal_step: 100\n"
WARNED = "kind: WarmupCosineScheduler\nwarmup_steps: 90\ntotal_steps: 100\n"

EXPRESSION = re.compile(r"\$\{\{ *([\w.-]+) *\}\}")


@dataclass
class Job:
    """A job of a workflow that uses the action."""

    runner: Path
    """The folder where the runner keeps files of the job."""
    workspace: Path
    """The folder of the checked repository."""
    action: Path
    """The folder of the action."""
    steps: dict[str, dict[str, str]] = field(default_factory=dict)
    """The outputs of the steps so far."""
    summary: str = ""
    """The job summary that the steps wrote."""

    def run(self, step, **inputs):
        """Run a step of the action as a runner does; return its exit status and its log."""
        given = {name: about.get("default", "") for name, about in SAID["inputs"].items()}
        given |= {name.replace("_", "-"): value for name, value in inputs.items()}
        names = {f"inputs.{name}": value for name, value in given.items()}
        files = {name: self.runner / name for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
        for file in files.values():
            file.write_bytes(b"")
        script = self.runner / "script.sh"
        script.write_text(filled(step["run"], names), encoding="utf-8")
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", script],
            cwd=self.workspace / filled(step.get("working-directory", "."), names),
            env=variables(
                CI="true",
                GITHUB_ACTIONS="true",
                GITHUB_ACTION_PATH=str(self.action),
                GITHUB_WORKSPACE=str(self.workspace),
                RUNNER_TEMP=str(self.runner / "temp"),
                **{name: str(file) for name, file in files.items()},
                **{name: filled(text, names) for name, text in step.get("env", {}).items()},
            ),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )
        lines = files["GITHUB_OUTPUT"].read_text(encoding="utf-8").splitlines()
        self.steps[step["id"]] = dict(line.split("=", 1) for line in lines)
        self.summary = files["GITHUB_STEP_SUMMARY"].read_text(encoding="utf-8")
        return done.returncode, done.stdout

    @property
    def outputs(self):
        """The outputs of the action."""
        names = {
            f"steps.{step}.outputs.{name}": value
            for step, outputs in self.steps.items()
            for name, value in outputs.items()
        }
        return {name: filled(about["value"], names) for name, about in SAID["outputs"].items()}


def filled(text, names):
    """A text after its expressions are evaluated; unknown names are empty."""
    return EXPRESSION.sub(lambda match: names.get(match[1], ""), text)


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The folders of the runner and of the action, and the outputs, after olm is installed."""
    runner = tmp_path_factory.mktemp("the runner's")
    (runner / "temp").mkdir()
    workspace = tmp_path_factory.mktemp("first")
    # The root of a repository may have modules with the names of those that the step imports.
    for name in ("json.py", "pip.py", "venv.py"):
        (workspace / name).write_text("raise SystemExit('not this one')\n", encoding="utf-8")
    action = checkout(tmp_path_factory.mktemp("actions")) / ACTION.parent.relative_to(ROOT)
    job = Job(runner, workspace, action)
    status, log = job.run(INSTALL, python=sys.executable)
    assert status == 0, log
    return runner, action, job.steps


@pytest.fixture
def job(tmp_path, installed):
    runner, action, steps = installed
    return Job(runner, tmp_path, action, dict(steps))


@pytest.fixture
def repository(tmp_path):
    """Writes files in the checked repository."""

    def write(**files):
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text, encoding="utf-8")

    return write


def test_valid_specs_pass(job, repository):
    repository(**{"specs/a.olm.yaml": GOOD, "b.olm.json": '{"kind": "LinearLR", "total_steps": 9}'})
    assert job.run(CHECK) == (0, "2 files are fine\n")
    assert (job.outputs["errors"], job.outputs["warnings"]) == ("0", "0")
    assert "2 files are fine" in job.summary


def test_an_error_fails_the_step_and_is_in_the_diff_the_summary_and_the_outputs(job, repository):
    repository(**{"specs/a.olm.yaml": WRONG, "specs/b.olm.yaml": GOOD, ".gitignore": "*.log\n"})
    status, log = job.run(CHECK)
    assert status == 1
    (shown,) = [line for line in log.splitlines() if line.startswith("::")]
    assert shown.startswith("::error file=specs/a.olm.yaml,line=2,endLine=2,col=1,endColumn=11,")
    assert "1 problem in 1 of 2 files" in job.summary
    assert "specs/a.olm.yaml" in job.summary
    assert (job.outputs["errors"], job.outputs["warnings"]) == ("1", "0")


def test_no_shell_reads_a_path(job, repository):
    names = ["my specs/run 7.olm.yaml", "$(touch owned).olm.yaml", "`touch owned`;&|.olm.yaml",
             "a'b\"c.olm.yaml", "--strict.olm.yaml", "größe ${HOME}.olm.yaml"]  # fmt: skip
    repository(**dict.fromkeys(names, GOOD), **{"unnamed.olm.yaml": WRONG})
    assert job.run(CHECK, paths="\n".join(names)) == (0, "6 files are fine\n")
    for name in names:
        repository(**{name: WRONG})
        assert job.run(CHECK, paths=f"\n  {name}\n\n")[0] == 1
    assert not list(job.workspace.glob("**/owned"))


@pytest.mark.parametrize(
    "injected", ["$(touch owned)", "`touch owned`", "x; touch owned", "a\ntouch owned"]
)
def test_no_shell_runs_an_input(injected, job, repository):
    repository(**{"a.olm.yaml": GOOD})
    for name in ("paths", "args", "strict"):
        assert job.run(CHECK, **{name: injected})[0] == 2
    assert job.run(INSTALL, python=injected)[0] == 127
    assert not list(job.workspace.glob("**/owned"))


def test_a_folder_named_olm_in_the_repository_is_not_imported(job, repository):
    repository(**{"olm/__init__.py": "1 / 0", "json.py": "1 / 0", "a.olm.yaml": GOOD})
    assert job.run(CHECK)[0] == 0


def test_paths_are_relative_to_the_working_directory_and_annotated_from_the_root(job, repository):
    repository(**{"my project/specs/a.olm.yaml": WRONG, "b.olm.yaml": WRONG})
    status, log = job.run(CHECK, paths="specs/*.yaml", working_directory="my project")
    assert (status, log.count("::error ")) == (1, 1)
    assert "::error file=my project/specs/a.olm.yaml,line=2," in log


@pytest.mark.parametrize(("strict", "status"), [("", 0), ("false", 0), ("true", 1)])
def test_warnings_fail_with_strict(strict, status, job, repository):
    repository(**{"a.olm.yaml": WARNED})
    got, log = job.run(CHECK, strict=strict)
    assert (got, job.outputs["errors"]) == (status, "0")
    assert int(job.outputs["warnings"]) == log.count("::warning file=a.olm.yaml,") > 0


def test_without_the_input_the_settings_of_the_project_apply(job, repository):
    repository(**{"a.olm.yaml": WARNED, "pyproject.toml": "[tool.olm]\nstrict = true\n"})
    assert job.run(CHECK)[0] == 1
    assert job.run(CHECK, strict="false")[0] == 0


def test_other_options_are_quoted_as_in_a_shell(job, repository):
    conf = "optim:\n  lr: {kind: LinearLR, total_steps: 0}\n"
    repository(**{"conf/a.yaml": conf, "conf/old one.yaml": conf})
    options = "--at optim.lr\n--exclude='old one.yaml'"
    status, log = job.run(CHECK, paths="conf/*.yaml", args=options)
    assert (status, log.count("::error file=conf/a.yaml,line=2,")) == (1, 1), log
    assert "1 problem in 1 file\n" in log


@pytest.mark.parametrize(
    ("inputs", "status", "message"),
    [
        ({"paths": " \n"}, 2, "the input `paths` must name at least one path, found none"),
        ({"strict": "True"}, 2, "the input `strict` must be true or false, found 'True'"),
        ({"args": "--at 'x"}, 2, "the input `args` cannot be read: no closing quotation"),
        ({"paths": "none"}, 2, "no such file or folder: none"),
        ({}, 3, "no *.olm.yaml, *.olm.yml, *.olm.json or *.olm.toml in ."),
    ],
)
def test_misuse_fails_and_sets_no_counts(inputs, status, message, job):
    assert job.run(CHECK, **inputs) == (status, f"olm check: {message}\n")
    assert (job.outputs["errors"], job.outputs["warnings"]) == ("", "")


def test_later_steps_have_the_command(job, repository):
    repository(**{"a.olm.yaml": WRONG})
    command = [job.outputs["olm"], "check", "--format", "sarif", "a.olm.yaml"]
    done = subprocess.run(command, cwd=job.workspace, env=variables(), capture_output=True)
    assert (done.returncode, yaml.safe_load(done.stdout)["version"]) == (1, "2.1.0")


def test_the_action_installs_no_torch(job):
    packages = {path.name for path in job.runner.glob("temp/olm/lib/python*/site-packages/*")}
    assert "pydantic" in packages
    assert "torch" not in packages


def test_every_input_is_used_and_none_is_in_a_script():
    rest = [{**step, "run": ""} for step in SAID["runs"]["steps"]]
    used = set(EXPRESSION.findall(str(rest)))
    assert used == {f"inputs.{name}" for name in SAID["inputs"]}
    assert not [step["name"] for step in SAID["runs"]["steps"] if "${{" in step["run"]]


def test_the_examples_in_the_script_are_correct():
    command = [sys.executable, "-m", "doctest", "-v", ACTION.parent / "check.py"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, "2 passed" in done.stdout) == (0, True), done.stdout


def zizmor(path):
    """Run zizmor on a path with its strictest settings; return the status and the output."""
    beside = Path(sys.executable).parent
    # Without `--color`, zizmor uses colours if `CI` is set.
    command = [beside / "zizmor", "--offline", "--persona=auditor", "--color=never", path]
    done = subprocess.run(command, env=variables(), capture_output=True, text=True)
    return done.returncode, done.stdout


@pytest.mark.parametrize("folder", ["tools/action", ".github"])
def test_zizmor_finds_nothing(folder):
    status, said = zizmor(ROOT / folder)
    assert (status, said.startswith("No findings to report.")) == (0, True), said


def test_zizmor_would_find_an_input_in_a_script(tmp_path):
    worse = ACTION.read_text(encoding="utf-8").replace('"$OLM_PYTHON"', "${{ inputs.python }}")
    (tmp_path / "action.yml").write_text(worse, encoding="utf-8")
    status, said = zizmor(tmp_path / "action.yml")
    assert (status > 0, "error[template-injection]" in said) == (True, True)
