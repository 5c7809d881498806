"""Patterns of .gitignore, and which files git ignores.

Git's `core.excludesFile` is not read: results must not depend on the settings of a user.
"""

from __future__ import annotations

import os
import re
from collections.abc import Container, Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathspec.pattern import RegexPattern

LARGEST = 1 << 20
"""The most bytes that are read of one of git's files."""

MOST_STARS = 4
"""How many stars the name of a file in a pattern, or folders of any depth, may have."""

GIT, GITIGNORE = ".git", ".gitignore"


class Patterns:
    """Patterns relative to a folder.

    >>> old = Patterns("/runs", ["old/", "*.bak.olm.yaml"])
    >>> old.cover("/runs/a/old/b.olm.yaml"), old.cover("/runs/old.olm.yaml")
    (True, False)

    Raises:
        ValueError: one of them is invalid.
    """

    def __init__(self, folder: str, lines: Iterable[str]) -> None:
        # Imported only where there are patterns: this takes a tenth of the time of a check.
        from pathspec import GitIgnoreSpec

        self._start = folder.rstrip("/\\") + "/"
        # To pathspec `a/**/` is everything in `a`; to git only the folders there.
        lines = [re.sub(r"/\*\*/ *$", "/**/*/", line) for line in lines]
        if any(_is_slow(line) for line in lines):
            raise ValueError(f"a pattern must have at most {MOST_STARS} stars in a name")
        patterns = GitIgnoreSpec.from_lines(lines).patterns
        self._last_first = [found for found in reversed(patterns) if found.include is not None]

    def cover(self, path: str, is_folder: bool = False) -> bool:
        """Whether they match an absolute path, or a folder that contains it."""
        path = self._from_start(path)
        above = [path[:end] for end, character in enumerate(path) if character == "/"]
        return (
            any(self._verdict(f"{folder}/") for folder in above)
            or self._verdict(path + "/" * is_folder) is True
        )

    def verdict(self, path: str, is_folder: bool = False) -> bool | None:
        """The verdict of the last pattern that matches the path itself; None if none matches."""
        return self._verdict(self._from_start(path) + "/" * is_folder)

    def _verdict(self, path: str) -> bool | None:
        return next((by.include for by in self._last_first if _matches(by, path)), None)

    def _from_start(self, path: str) -> str:
        path = Path(path).as_posix()
        # A path outside the folder is matched by its names.
        return path.removeprefix(self._start) if path.startswith(self._start) else path.lstrip("/")


def _is_slow(pattern: str) -> bool:
    """Whether to match a pattern could take for ever: the time grows with a power of the stars."""
    names = pattern.split("/")
    deep = sum(name == "**" for name in names)
    return deep > MOST_STARS or any(name.count("*") > MOST_STARS for name in names)


def _matches(pattern: RegexPattern, path: str) -> bool:
    """Whether a pattern matches a path, which ends with a slash if it is a folder's.

    By its group `ps_d`, pathspec also matches everything inside a matching folder. Its own verdict
    then overrides a later pattern that includes the folder again; git's does not.
    """
    for match in pattern.regex.finditer(path) if pattern.regex else ():
        if match.groupdict().get("ps_d"):
            if match.end("ps_d") == len(path):
                return True
        elif path[-1] != "/":
            return True
    return path[-1] == "/" and _matches(pattern, path[:-1])


@dataclass(frozen=True)
class Ignored:
    """Which files git ignores in a folder."""

    rules: tuple[Patterns, ...] = ()
    """The patterns of each file; the last match decides."""

    def covers(self, path: str, is_folder: bool) -> bool:
        """Whether git ignores a file or folder that is directly in the folder."""
        for patterns in reversed(self.rules):
            if (verdict := patterns.verdict(path, is_folder)) is not None:
                return verdict
        return False

    def inside(self, folder: str, names: Container[str]) -> Ignored:
        """The same for a folder below, which contains these names."""
        rules = self.rules
        if GIT in names:
            # A nested repository has rules of its own.
            rules = _patterns(folder, _common(Path(folder, GIT)) / "info" / "exclude")
        if GITIGNORE in names:
            rules += _patterns(folder, Path(folder, GITIGNORE))
        return Ignored(rules)


def ignored_above(folder: str) -> Ignored:
    """Which files git ignores in a folder, by the files above it in its repository.

    A folder that is itself ignored was named on purpose, so these files are skipped for it.
    """
    if _is_there(Path(folder, GIT)):
        return Ignored()
    parents = Path(folder).parents
    root = next((n for n, parent in enumerate(parents) if _is_there(parent / GIT)), None)
    if root is None:
        return Ignored()
    ignored = Ignored()
    chain = [*reversed(parents[: root + 1]), Path(folder)]
    for outer, inner in pairwise(chain):
        names = [name for name in (GIT, GITIGNORE) if _is_there(outer / name)]
        ignored = ignored.inside(str(outer), names)
        if ignored.covers(str(inner), True):
            return Ignored()
    return ignored


def _patterns(folder: str, file: Path) -> tuple[Patterns, ...]:
    """The patterns in a file, if it can be read; like git, skip invalid lines."""
    try:
        # A pipe would be waited for.
        if not file.is_file() or file.stat().st_size > LARGEST:
            return ()
        text = file.read_text(encoding="utf-8-sig", errors="surrogateescape")
    except (OSError, ValueError):
        return ()
    lines = [line for line in text.replace("\r\n", "\n").split("\n") if _is_pattern(line)]
    return (Patterns(folder, lines),) if lines else ()


def _is_pattern(line: str) -> bool:
    if not line.strip() or line[0] == "#":
        return False
    try:
        Patterns("", [line])
    except ValueError:
        return False
    return True


def _common(git: Path) -> Path:
    """The folder that the worktrees of a repository share; in a worktree, .git is a file."""
    if git.is_file():
        git = Path(git.parent, _line_in(git).removeprefix("gitdir:").strip())
        common = git / "commondir"
        return git / _line_in(common) if _is_there(common) else git
    return git


def _line_in(file: Path) -> str:
    """The path in one of git's files, which may have any bytes; nothing if it is none."""
    if not file.is_file() or file.stat().st_size > LARGEST:
        return ""
    text = os.fsdecode(file.read_bytes()).strip()
    return "" if "\0" in text else text


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False
