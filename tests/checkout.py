"""A copy of this repository as other people get it, with changes that are not committed yet."""

import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

_OURS = ("GIT_", "OLM_", "PIP_REQUIRE_", "PRE_COMMIT", "PYTEST_", "PYTHON", "VIRTUAL_ENV")
_COLOUR = ("CLICOLOR_FORCE", "FORCE_COLOR", "NO_COLOR")


def checkout(folder):
    """Copy the files of the working tree that git does not ignore into a folder."""
    for name in _names():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    return folder


def _names():
    """The paths of the files, relative to the root; an unpacked sdist has no git to ask."""
    if not (ROOT / ".git").exists():
        files = {path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file()}
        return [file for file in files if "__pycache__" not in file.parts]
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True)
    names = map(os.fsdecode, done.stdout.rstrip(b"\0").split(b"\0"))
    # git also lists the files that are deleted and not committed.
    return [name for name in names if (ROOT / name).is_file()]


def variables(**more):
    """The environment variables of this process, without those of tests, git and colours."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_OURS) and name not in (*_COLOUR, "SKIP")
    }
    somebody = {f"GIT_{who}_NAME": "Ada" for who in ("AUTHOR", "COMMITTER")}
    somebody |= {f"GIT_{who}_EMAIL": "ada@example.org" for who in ("AUTHOR", "COMMITTER")}
    git = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    return kept | somebody | git | more
