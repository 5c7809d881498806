"""Paths relative to the root of the repository, as services expect them."""

from __future__ import annotations

import os
from os.path import normpath
from pathlib import Path
from urllib.parse import quote

ROOTS = ("GITHUB_WORKSPACE", "CI_PROJECT_DIR")
"""The environment variables with the root of the repository on GitHub and GitLab."""


def from_root(file: str) -> str:
    """The path relative to the root of the repository, or absolute for a file outside.

    Without one of the environment variables, the working folder is the root.

    >>> from_root("specs/../a.olm.yaml"), from_root("/elsewhere/a.olm.yaml")
    ('a.olm.yaml', '/elsewhere/a.olm.yaml')
    """
    whole = _whole(file)
    root = _whole(next((os.environ[name] for name in ROOTS if os.environ.get(name)), ""))
    return (whole.relative_to(root) if whole.is_relative_to(root) else whole).as_posix()


def uri(file: str) -> str:
    """The same path as a URI: a relative reference, or with ``file://``.

    >>> uri("my specs/a#1.olm.yaml"), uri("/elsewhere/é.olm.yaml")
    ('my%20specs/a%231.olm.yaml', 'file:///elsewhere/%C3%A9.olm.yaml')
    """
    path = from_root(file)
    return Path(path).as_uri() if Path(path).is_absolute() else quote(os.fsencode(path))


def _whole(file: str) -> Path:
    # Links are not resolved: the repository contains the link, not its target.
    return Path(normpath(Path.cwd() / file))
