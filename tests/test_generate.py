"""`tools/generate.py`, run in a copy of the folders that it reads and writes."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import needs

ROOT = Path(__file__).parent.parent
NEW_KIND = '''"""A new family."""

from typing import Literal

from olm.schedule.curves import Array
from olm.fields.types import Factor
from olm.schedule.schedule import Schedule


class Twice(Schedule):
    """A multiple of the base rate."""

    kind: Literal["TwiceLR"] = "TwiceLR"
    times: Factor = 2.0
    """The factor."""

    group = "building block"
    examples = [{"times": 3.0}]

    def formula(self, step: Array, base: Array) -> Array:
        return base * self.times + 0 * step
'''


@pytest.fixture
def copied(tmp_path):
    """A copy of the parts of the repository that generation needs."""
    for folder in (".github", "olm", "tools", "schemas"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=ignored)
    for file in ("README.md", "pyproject.toml"):
        shutil.copy(ROOT / file, tmp_path)
    return tmp_path


def generate(root, *args):
    """Run the generator; return the exit status and the printed lines."""
    command = [sys.executable, "-B", str(root / "tools" / "generate.py"), *args]
    done = subprocess.run(command, capture_output=True, text=True)
    assert not done.stderr
    return done.returncode, done.stdout.splitlines()


def contents(root):
    return {path.name: path.read_bytes() for path in (root / "schemas").iterdir()}


@needs.torch
@needs.pins
def test_nothing_that_is_committed_is_stale():
    assert generate(ROOT, "--check") == (0, [])


@needs.torch
@needs.pins
def test_what_is_stale_is_named_and_then_written_or_deleted(copied):
    (copied / "olm" / "kinds" / "twice.py").write_text(NEW_KIND)
    (copied / "schemas" / "GoneLR.schema.json").write_text("{}")
    before = contents(copied)

    status, lines = generate(copied, "--check")
    named = {line for line in lines if line.startswith("schemas/")}
    assert status == 1
    assert named == {
        "schemas/TwiceLR.schema.json is missing: `python3 tools/generate.py` writes it",
        *(
            f"schemas/{name} is stale: `python3 tools/generate.py` writes it"
            for name in before.keys() - {"GoneLR.schema.json", "findings.json"}
        ),
        "schemas/GoneLR.schema.json belongs to no kind: `python3 tools/generate.py` deletes it",
    }
    assert contents(copied) == before

    status, lines = generate(copied)
    assert status == 0
    assert {"wrote schemas/TwiceLR.schema.json", "deleted schemas/GoneLR.schema.json"} <= {*lines}
    assert contents(copied).keys() == before.keys() - {"GoneLR.schema.json"} | {
        "TwiceLR.schema.json"
    }


def test_owner_and_version_are_edited_in_one_file_and_written_into_the_others(copied):
    project = copied / "pyproject.toml"
    text = project.read_text(encoding="utf-8")
    text = text.replace(
        'Repository = "https://github.com/OWNER/', 'Repository = "https://github.com/ada/'
    )
    text = re.sub('^version = ".+"$', 'version = "7.1.0"', text, flags=re.MULTILINE)
    project.write_text(text, encoding="utf-8")
    (copied / ".github" / "USE.md").write_text("- uses: x/olm/tools/action@v7.0.0\n")

    script = "import repository as r; [p.write_text(t) for p, t in r.addressed({}).items()]"
    command = [sys.executable, "-X", "utf8", "-c", script]
    assert subprocess.run(command, cwd=copied / "tools").returncode == 0
    assert (copied / ".github" / "USE.md").read_text() == "- uses: ada/olm/tools/action@v7.1.0\n"
    assert 'Issues = "https://github.com/ada/olm/issues"' in project.read_text(encoding="utf-8")
    texts = [copied / "README.md", *copied.rglob("*.md"), *copied.rglob("*.yml")]
    assert [path.name for path in texts if "OWNER" in path.read_text(encoding="utf-8")] == []


def test_schemas_are_made_without_torch():
    script = (
        "import sys, generate; sys.path.insert(0, str(generate.ROOT)); generate.schemas();"
        "assert 'torch' not in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT / "tools").returncode == 0


def test_the_help_says_what_is_written_and_when_to_run_it():
    status, lines = generate(ROOT, "--help")
    text = "\n".join(lines)
    assert status == 0
    assert "--check" in text
    assert "schemas" in text
    assert "after every change of a kind" in text
