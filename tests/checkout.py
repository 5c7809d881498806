"""A copy of this repository as others get it: what git has of it, and what is not committed yet."""

import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

_OURS = ("GIT_", "OLM_", "PIP_REQUIRE_", "PRE_COMMIT", "PYTEST_", "PYTHON", "VIRTUAL_ENV")
_COLOUR = ("CLICOLOR_FORCE", "FORCE_COLOR", "NO_COLOR")


def checkout(folder):
    """Copy the files of the working tree that git does not ignore into a folder."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True)
    for name in map(os.fsdecode, done.stdout.rstrip(b"\0").split(b"\0")):
        # What is deleted and not committed is listed, too.
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return folder


def variables(**more):
    """The variables of a process that knows nothing of these tests, nor of anybody's git."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_OURS) and name not in (*_COLOUR, "SKIP")
    }
    somebody = {f"GIT_{who}_NAME": "Ada" for who in ("AUTHOR", "COMMITTER")}
    somebody |= {f"GIT_{who}_EMAIL": "ada@example.org" for who in ("AUTHOR", "COMMITTER")}
    git = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    return kept | somebody | git | more
