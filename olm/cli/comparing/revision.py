"""A file at a revision of its git repository."""

from __future__ import annotations

import subprocess
from pathlib import Path

from olm.problem import OlmError, clipped


def file_at(revision: str, path: str) -> bytes:
    """The content of a file at a revision: a branch, a tag, a commit, ``HEAD~2``.

    Raises:
        OlmError: git, the repository, the revision or the file does not exist.
    """
    here = Path(path).parent
    inside = _git(here, "rev-parse", "--git-dir")
    if inside.returncode:
        reason = inside.stderr.decode(errors="replace").strip().partition("\n")[0]
        raise OlmError(f"{path} is not in a readable git repository ({reason})")
    # Resolved to a commit first: with a colon it would be a path, with a dash an option.
    commit = _git(here, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
    if revision.startswith("-") or commit.returncode:
        raise OlmError(f"no such revision in the repository of {path}: {clipped(revision)}")
    name = f"{commit.stdout.decode().strip()}:./{Path(path).name}"
    # Not `git show`, which may run a program that the repository configures for the file.
    blob = _git(here, "cat-file", "blob", name)
    if blob.returncode:
        raise OlmError(f"no such file at {clipped(revision)}: {path}")
    return blob.stdout


def _git(folder: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True)
    except FileNotFoundError:
        raise OlmError("--git needs the program git, which is not installed") from None
