"""A file as it stood at a revision of its git repository."""

from __future__ import annotations

import subprocess
from pathlib import Path

from olm.problem import OlmError, clipped


def file_at(revision: str, path: str) -> bytes:
    """What was in a file at a revision: a branch, a tag, a commit, ``HEAD~2``.

    Raises:
        OlmError: there is no git, no repository, no such revision, or no such file in it.
    """
    here = Path(path).parent
    inside = _git(here, "rev-parse", "--git-dir")
    if inside.returncode:
        said = inside.stderr.decode(errors="replace").strip().partition("\n")[0]
        raise OlmError(f"{path} is in no git repository that can be read ({said})")
    # As a commit first: a revision with a colon would be a path, one with a dash an option.
    commit = _git(here, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
    if revision.startswith("-") or commit.returncode:
        raise OlmError(f"there is no revision {clipped(revision)} in the repository of {path}")
    name = f"{commit.stdout.decode().strip()}:./{Path(path).name}"
    # Not `git show`, which may run a program that the repository has set for the file.
    blob = _git(here, "cat-file", "blob", name)
    if blob.returncode:
        raise OlmError(f"there was no file {path} at {clipped(revision)}")
    return blob.stdout


def _git(folder: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True)
    except FileNotFoundError:
        raise OlmError("--git needs the program git, which is not installed") from None
