"""The environments of the peers, each in its own folder, created when missing or stale."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

from environment import CONSTRAINTS, ROOT

VENVS = ROOT / ".venv-peers"


class Installed(Protocol):
    """What an environment is made for."""

    @property
    def distribution(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def needs(self) -> Sequence[str]: ...
    @property
    def dependencies(self) -> bool: ...


def python_of(name: str, peer: Installed) -> Path:
    """The Python of the environment of a peer, which is created if necessary."""
    folder = VENVS / name
    python, stamp = folder / "bin" / "python", folder / "made-from"
    steps = list(_installation(peer))
    sources = json.dumps([sys.version, steps, CONSTRAINTS.read_text()])
    digest = hashlib.sha256(sources.encode()).hexdigest()
    if not (python.exists() and stamp.is_file() and stamp.read_text() == digest):
        text = f"{name}: creating an environment with {peer.distribution} {peer.version} ...\n"
        print(text, end="", file=sys.stderr, flush=True)
        _run([sys.executable, "-m", "venv", "--clear", str(folder)])
        for arguments in steps:
            _run([str(python), "-m", "pip", "install", *arguments])
        stamp.write_text(digest)
    return python


def variables() -> dict[str, str]:
    """The variables of this process, without those that make other packages importable."""
    return {k: v for k, v in os.environ.items() if k not in ("PYTHONHOME", "PYTHONPATH")}


def _installation(peer: Installed) -> Iterator[list[str]]:
    """The arguments of `pip install`, for one call after another."""
    pinned = f"{peer.distribution}=={peer.version}"
    together = [pinned, *peer.needs] if peer.dependencies else [*peer.needs]
    yield ["--constraint", str(CONSTRAINTS), *together]
    if not peer.dependencies:
        yield ["--no-deps", pinned]


def _run(command: list[str]) -> None:
    """Run a command; if it fails, print its output and exit."""
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=variables()
    )
    if done.returncode:
        sys.exit(f"{done.stdout}\nthis command failed: {' '.join(command)}")
