"""What a run of ``olm check`` does, by its arguments and the settings of the project."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path as FilePath
from typing import TYPE_CHECKING

from olm.checking.check import Checked, Options, check_file
from olm.cli import Misuse, NothingMatched
from olm.cli.clock_options import clock_of
from olm.cli.files.search import STDIN, SUFFIXES, Choice, files
from olm.cli.files.settings import Settings, settings
from olm.cli.input import checked, standard_input
from olm.problem import listed
from olm.text.document import read_file

if TYPE_CHECKING:
    from olm.cli.files.ignored import Patterns


@dataclass(frozen=True)
class Plan:
    """The files, and how each one is checked."""

    paths: Sequence[str]
    options: Callable[[str], Options]
    """The options for a file."""
    checker: Callable[[str, Options], Checked]
    """What checks a file."""
    jobs: int
    strict: bool
    """Whether warnings fail the run."""
    fix: bool
    """Whether files are fixed in place."""

    def check(self, path: str) -> Checked:
        """Check a file, and fix it with ``--fix``."""
        options = self.options(path)
        result = self.checker(path, options)
        if not any(problem.fix for problem in result.problems):
            return result
        from olm.checking.fix import with_sound_fixes
        from olm.cli.files.fixing import fix_file

        return (fix_file if self.fix else with_sound_fixes)(result, options)


def planned(args: Namespace) -> Plan:
    """The plan for the arguments of the command.

    Raises:
        Misuse: the arguments or the settings of the project are invalid.
    """
    project = settings(args.config, args.isolated)
    lint, strict, jobs = (
        getattr(project, name) if (given := getattr(args, name)) is None else given
        for name in ("lint", "strict", "jobs")
    )
    select, ignore = (args.select or project.select, args.ignore or project.ignore)
    _must_be_warnings((*select, *ignore))
    run = clock_of(args)
    options = Options(args.at, lint, select, ignore, args.base_lr, run, project.clock)
    # --at applies to every file.
    places = (
        {} if args.at else {_of_project(project, pattern): at for pattern, at in project.at.items()}
    )
    choice = Choice(tuple(places), _excluded(args.exclude, project), args.force_exclude)
    if args.schema and (args.fix or args.diff):
        raise Misuse("--fix and --diff use olm's own models: leave out --schema")
    checker = _by_schema(args) if args.schema else _by_models(args)
    options_of = _options(args, options, places)
    return Plan(_files(args.paths, choice), options_of, checker, jobs, strict, args.fix)


def _must_be_warnings(codes: Sequence[str]) -> None:
    if codes:
        from olm.checking.lint import misnamed

        if message := misnamed(codes):
            raise Misuse(message)


def _files(paths: Sequence[str], choice: Choice) -> Sequence[str]:
    found = files(paths, choice)
    # A hook may name only excluded files.
    if not found and not (choice.force and choice.exclude):
        names = listed((f"*{end}" for end in SUFFIXES), "or")
        raise NothingMatched(f"no {names} in {listed(paths)}")
    return found


def _excluded(given: Sequence[str], project: Settings) -> tuple[Patterns, ...]:
    """The patterns of the command line and of the project, each relative to its own folder."""
    here = [_patterns(str(FilePath.cwd()), given, "--exclude")] if given else []
    there = [_patterns(project.folder, project.exclude, project.file)] if project.exclude else []
    return (*here, *there)


def _of_project(project: Settings, pattern: str) -> Patterns:
    return _patterns(project.folder, [pattern], project.file)


def _patterns(folder: str, lines: Iterable[str], where: str) -> Patterns:
    from olm.cli.files.ignored import Patterns

    try:
        return Patterns(folder, lines)
    except ValueError as error:
        raise Misuse(f"{where}: {error}") from None


def _options(
    args: Namespace, options: Options, places: dict[Patterns, tuple[str | int, ...]]
) -> Callable[[str], Options]:
    """The options for a file: the project may set the place of the schedule by pattern."""
    if not places:
        return lambda path: options
    at = {patterns: replace(options, at=place) for patterns, place in places.items()}

    def options_of(path: str) -> Options:
        name = str(FilePath(args.stdin_filename if path == STDIN else path).resolve())
        return next((there for patterns, there in at.items() if patterns.cover(name)), options)

    return options_of


def _by_models(args: Namespace) -> Callable[[str, Options], Checked]:
    return lambda path, options: checked(path, options, args.stdin_filename)


def _by_schema(args: Namespace) -> Callable[[str, Options], Checked]:
    """Validate files against a JSON Schema."""
    # To import jsonschema takes longer than to check a file.
    from olm.checking.other_schema import SchemaError, schema_in

    try:
        schema = schema_in(args.schema)
    except (OSError, SchemaError) as error:
        raise Misuse(_why(args.schema, error)) from None

    def check(path: str, options: Options) -> Checked:
        try:
            if path == STDIN:
                return schema.check(standard_input(args.stdin_filename, options.at))
            return schema.check(read_file(path, options.at))
        except OSError:
            return check_file(path)
        except SchemaError as error:
            raise Misuse(str(error)) from None

    return check


def _why(file: str, error: Exception) -> str:
    if isinstance(error, OSError):
        return f"cannot read {file}: {(error.strerror or str(error)).lower()}"
    return str(error)
