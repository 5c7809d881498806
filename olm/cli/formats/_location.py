"""Files as services know them: from the root of the repository on."""

from __future__ import annotations

import os
from os.path import normpath
from pathlib import Path
from urllib.parse import quote

ROOTS = ("GITHUB_WORKSPACE", "CI_PROJECT_DIR")
"""The variables in which GitHub and GitLab tell where the repository is."""


def from_root(file: str) -> str:
    """The path from the root of the repository on, or the whole one of a file outside of it.

    Where no service says otherwise, the working folder is the root.

    >>> from_root("specs/../a.olm.yaml"), from_root("/elsewhere/a.olm.yaml")
    ('a.olm.yaml', '/elsewhere/a.olm.yaml')
    """
    whole = _whole(file)
    said = next((os.environ[name] for name in ROOTS if os.environ.get(name)), "")
    root = _whole(said)
    return (whole.relative_to(root) if whole.is_relative_to(root) else whole).as_posix()


def uri(file: str) -> str:
    """The same as a URI: a relative reference, or with ``file://``.

    >>> uri("my specs/a#1.olm.yaml"), uri("/elsewhere/é.olm.yaml")
    ('my%20specs/a%231.olm.yaml', 'file:///elsewhere/%C3%A9.olm.yaml')
    """
    path = from_root(file)
    return Path(path).as_uri() if Path(path).is_absolute() else quote(os.fsencode(path))


def _whole(file: str) -> Path:
    # Links are not followed: the repository knows the link and not what it leads to.
    return Path(normpath(Path.cwd() / file))
