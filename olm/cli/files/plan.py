"""What a run of ``olm check`` does, by its arguments and the settings of projects."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Sequence
from typing import NamedTuple

from olm.checking.check import Checked, Options, check_file
from olm.cli import Misuse, NothingMatched
from olm.cli.files.scopes import Scope, Scopes
from olm.cli.files.search import STDIN, SUFFIXES, files
from olm.cli.input import checked, standard_input
from olm.problem import listed
from olm.text.document import read_file


class Plan(NamedTuple):
    """The files, and how each one is checked."""

    paths: Sequence[str]
    scope: Callable[[str], Scope]
    """The scope of a file, by its reported name."""
    checker: Callable[[str, Options], Checked]
    """What checks a file."""
    jobs: int
    fix: bool
    """Whether files are fixed in place."""
    stdin: str
    """The reported name of standard input."""

    def options(self, path: str) -> Options:
        """The options for a file."""
        name = self.stdin if path == STDIN else path
        return self.scope(name).options_of(name)

    def is_strict(self, file: str) -> bool:
        """Whether warnings in a file fail the run, by its reported name."""
        return self.scope(file).strict

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
        Misuse: the arguments or the settings of a project are invalid.
    """
    if args.schema and (args.fix or args.diff):
        raise Misuse("--fix and --diff use olm's own models: leave out --schema")
    checker = _by_schema(args) if args.schema else _by_models(args)
    scopes = Scopes(args)
    jobs = scopes.here.jobs if args.jobs is None else args.jobs
    paths = files(args.paths, scopes.choice())
    # Invalid settings are reported before any file is checked; the search has read its own.
    for path in {*args.paths}.intersection(paths):
        scopes.of(args.stdin_filename if path == STDIN else path)
    if not paths and not scopes.exclude_named_files():
        names = listed((f"*{end}" for end in SUFFIXES), "or")
        raise NothingMatched(f"no {names} in {listed(args.paths)}")
    return Plan(paths, scopes.of, checker, jobs, args.fix, args.stdin_filename)


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
