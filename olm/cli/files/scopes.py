"""What the arguments and the settings of a project specify for the files of each folder."""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, NamedTuple

from olm.checking.check import Options
from olm.cli import Misuse
from olm.cli.clock_options import clock_of
from olm.cli.files.search import Choice
from olm.cli.files.settings import Settings, settings_by_folder

if TYPE_CHECKING:
    from olm.cli.files.ignored import Patterns


class Scope(NamedTuple):
    """How the files of some folders are found and checked."""

    options: Options
    at: Mapping[Patterns, Options]
    """The options for files whose schedule has a place of its own."""
    choice: Choice
    strict: bool
    """Whether warnings fail the run."""

    def options_of(self, path: str) -> Options:
        """The options for a file."""
        if not self.at:
            return self.options
        name = str(FilePath(path).resolve())
        return next((there for each, there in self.at.items() if each.cover(name)), self.options)


class Scopes:
    """The scope of every folder: one for each file with settings."""

    def __init__(self, args: Namespace) -> None:
        self.args = args
        self.settings_in = settings_by_folder(args.config, args.isolated)
        self.by_settings: dict[str, Scope] = {}
        self.by_name: dict[str, Scope] = {}

    @property
    def here(self) -> Settings:
        """The settings of the current folder."""
        return self.settings_in(os.path.realpath("."))

    def inside(self, folder: str) -> Scope:
        """The scope of the files in a folder, by its absolute path.

        Raises:
            Misuse: the settings of the folder are invalid.
        """
        project = self.settings_in(folder)
        if project.file not in self.by_settings:
            self.by_settings[project.file] = _scope(self.args, project)
        return self.by_settings[project.file]

    def of(self, file: str) -> Scope:
        """The scope of a file."""
        # For every file, so by hand: os.path.dirname takes several times as long.
        folder = file[: max(file.rfind("/"), file.rfind(os.sep)) + 1]
        if folder not in self.by_name:
            self.by_name[folder] = self.inside(os.path.realpath(folder))
        return self.by_name[folder]

    def choice(self) -> Choice:
        """Which files a search includes and excludes."""
        force = self.args.force_exclude
        return Choice(force=force, nearest=lambda folder: self.inside(folder).choice)

    def exclude_named_files(self) -> bool:
        """Whether named files may have been excluded, as those of a hook."""
        excluding = any(scope.choice.exclude for scope in self.by_settings.values())
        return self.args.force_exclude and excluding


def _scope(args: Namespace, project: Settings) -> Scope:
    lint, strict = (
        getattr(project, name) if (given := getattr(args, name)) is None else given
        for name in ("lint", "strict")
    )
    select, ignore = (args.select or project.select, args.ignore or project.ignore)
    _must_be_warnings((*select, *ignore))
    run = clock_of(args)
    options = Options(args.at, lint, select, ignore, args.base_lr, run, project.clock)
    # --at applies to every file.
    places = {} if args.at else project.at
    at = {
        _patterns(project.folder, [pattern], project.file): options._replace(at=place)
        for pattern, place in places.items()
    }
    return Scope(options, at, Choice(tuple(at), _excluded(args.exclude, project)), strict)


def _must_be_warnings(codes: Sequence[str]) -> None:
    if codes:
        from olm.checking.lint import misnamed

        if message := misnamed(codes):
            raise Misuse(message)


def _excluded(given: Sequence[str], project: Settings) -> tuple[Patterns, ...]:
    """The patterns of the command line and of the project, each relative to its own folder."""
    here = [_patterns(str(FilePath.cwd()), given, "--exclude")] if given else []
    there = [_patterns(project.folder, project.exclude, project.file)] if project.exclude else []
    return (*here, *there)


def _patterns(folder: str, lines: Iterable[str], where: str) -> Patterns:
    from olm.cli.files.ignored import Patterns

    try:
        return Patterns(folder, lines)
    except ValueError as error:
        raise Misuse(f"{where}: {error}") from None
