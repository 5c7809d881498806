"""``olm state``: print the states of schedulers in a checkpoint, or convert one to JSON."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import redirect_stdout, suppress
from pathlib import Path
from shutil import copyfileobj
from typing import TYPE_CHECKING, Any

from olm.checking.check import Options, check
from olm.cli import FINE, MISUSE, NOTHING_MATCHED, PROBLEMS, Misuse
from olm.cli.at_step import add_at_step, check_alone, spec_at_step
from olm.cli.clock_options import add_clock, clock_of, option
from olm.cli.drawing.facts import facts
from olm.cli.files.search import STDIN, is_there
from olm.cli.formats import Tally, outcome
from olm.cli.formats.text import of_file
from olm.cli.input import BINARY, checked
from olm.cli.run_configuration import continued_from, has_configuration, nothing_beside
from olm.cli.terminal import Paint, visible
from olm.problem import OlmError, SpecError, StateError, dotted, listed, quantity
from olm.spec.spec import Spec, parse
from olm.text.document import read

if TYPE_CHECKING:
    from olm.checking.check import Checked
    from olm.foreign.checkpoints import Found
    from olm.foreign.continued import Continued
    from olm.problem import Problem
    from olm.schedule.clock import Clock
    from olm.spec.differences import Difference

SUMMARY = "print or convert the state of a scheduler in a checkpoint"

EPILOG = """\
FILE is a checkpoint: a state in JSON or YAML; a torch file with a state anywhere in it
(.pt, .pth, .bin, a Lightning .ckpt); or a folder of transformers' Trainer, of Accelerate,
or of torch's distributed checkpoints. States of torch's own schedulers and of
OpenLanguageModel can be read as well. No code in FILE is run.

A schedule that is code is read from the configuration beside FILE, as `olm import` reads it:
training_args.bin of transformers, args.yaml of timm, config.py of mmengine, ds_config.json of
DeepSpeed, config.yaml or a TOML file of others. --config names another one.

A state is in optimizer steps, and keeps the durations as written. The durations of SPEC
are converted to steps by the options, else by the clock of SPEC; without a clock, they
are compared with the durations that the state keeps.

example:
  $ echo '{"gamma": 0.5, "base_lrs": [0.8], "last_epoch": 2}' | olm state -
  <stdin>
    written by  torch's ExponentialLR
    step        2, the last step taken
    base rates  0.8
    rates now   0.2
    next rates  0.1
    ExponentialLR: the base rate, times 0.5 at every step.
  ...

With --at-step, FILE is a spec, and the state is the one of a run that has taken N updates: for a
checkpoint that has a step and no scheduler state. The bases are those of the options, else those
of `param_groups` and `optimizer` in FILE:

  $ printf 'kind: LinearLR\\ntotal_steps: 1000\\n' > linear.olm.yaml
  $ olm state linear.olm.yaml --at-step 400 --base-lr 1 --out state.json
  $ olm state state.json
  state.json
    written by  olm
    step        400, the last step taken
    base rates  1.0
    rates now   0.6
    next rates  0.599
  ...

exit status: 0 success, 1 problems, 2 usage error, 3 no state found
"""


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "file", metavar="FILE", help="a checkpoint, or a spec with --at-step; - is standard input"
    )
    parser.add_argument("--at", metavar="PLACE", help="which state, if FILE has several")
    parser.add_argument(
        "--spec", metavar="SPEC", help="the schedule that the state must match, or lacks"
    )
    parser.add_argument(
        "--config",
        metavar="CONFIG",
        help="the configuration of the run, if FILE lacks the schedule (default: the one beside)",
    )
    add_at_step(parser)
    add_clock(parser.add_argument_group("run length, for the durations of SPEC and CONFIG"))
    parser.add_argument("--json", action="store_true", help="print the state as olm's JSON")
    parser.add_argument("--out", metavar="OUT", help="write the state to a file, atomically")


def run(args: Namespace) -> int:
    """Print or convert the states in a checkpoint, or report their problems."""
    for path in filter(None, (args.file, args.spec, args.config)):
        if not is_there(path):
            print(f"olm state: no such file or folder: {visible(path)}", file=sys.stderr)
            return MISUSE
    clock = clock_of(args)
    check_alone(args)
    if args.config is not None and args.spec is not None:
        raise Misuse("--spec and --config are both the schedule: leave one of them out")
    command = _Command(args, Paint.of(sys.stdout), clock)
    return command.convert() if args.json or args.out is not None else command.show()


def only_state(verb: str, file: str, at: str | None) -> Spec | int:
    """The only state in a checkpoint, for another verb.

    Returns:
        The state; an exit status if there is another number of states, or a problem. All of that
        is printed to the standard error.
    """
    args = Namespace(file=file, at=at, spec=None, config=None, at_step=None)
    return _Command(args, Paint.of(sys.stderr), None).only(verb)


class _Command:
    """A run of the command, which counts problems."""

    def __init__(self, args: Namespace, paint: Paint, clock: Clock | None) -> None:
        self.args, self.paint, self.clock = args, paint, clock
        self.problems = 0
        self.wanted: Spec | None = None
        self.values: dict[str, Any] = {}

    def show(self) -> int:
        """Print each state."""
        if self.args.at_step is not None:
            return self._show_at_step()
        found = self._found()
        if not found and not self.problems:
            return self._nothing()
        for file, state in found:
            self._show(file, state)
        print(self.paint("bold" if self.problems else "fine", self._summary(len(found))))
        return PROBLEMS if self.problems else FINE

    def _show_at_step(self) -> int:
        """Print the state of a spec."""
        if (spec := spec_at_step(self.args, self.clock, self.paint)) is None:
            return PROBLEMS
        print(self.paint("bold", visible(self.args.file)))
        print(*(f"  {line}" for line in facts(spec, "olm state --at-step")), sep="\n")
        return FINE

    def convert(self) -> int:
        """Print or write the only state as JSON."""
        if self.args.at_step is not None:
            with redirect_stdout(sys.stderr):
                spec = spec_at_step(self.args, self.clock, self.paint)
            return PROBLEMS if spec is None else self._write(spec)
        state = self.only("state")
        return state if isinstance(state, int) else self._write(state)

    def only(self, verb: str) -> Spec | int:
        """The only state; an exit status if there is another number of them, or a problem."""
        # Problems must not mix with the output.
        with redirect_stdout(sys.stderr):
            found = self._found()
            read = self._spec(*found[0]) if len(found) == 1 else None
        if len(found) > 1:
            places = ", ".join(_path(state) or file for file, state in found)
            print(f"olm {verb}: choose a state with --at PLACE: {visible(places)}", file=sys.stderr)
            return MISUSE
        if read is None:
            return PROBLEMS if self.problems else self._nothing(verb)
        return read.state

    def _write(self, spec: Spec) -> int:
        """Print or write a state as JSON."""
        if self.args.json:
            print(json.dumps(spec.model_dump(), indent=2, allow_nan=False))
        if self.args.out is not None:
            from olm.text.write import write_json

            write_json(self.args.out, spec.model_dump())
        return FINE

    def _wanted(self, path: str) -> Spec | None:
        """The spec that the states must match, in steps if there is a clock."""
        result = checked(path, Options(clock=self.clock))
        if result.spec is None:
            self._show_problems(result)
        return result.counted or result.spec

    def _show_problems(self, result: Checked) -> None:
        self.problems += len(result.problems)
        print(*of_file(result, self.paint), sep="", end="")

    def _found(self) -> list[tuple[str, Found | None]]:
        """Every state, or the requested state, with its file.

        None is a checkpoint without a state, which has a configuration.
        """
        from olm.foreign.checkpoints import states_of

        if self.args.spec:
            self.wanted = self._wanted(self.args.spec)
            if self.wanted is None:
                return []
        self.values = dict(self._values())
        at = self.args.at
        found: list[tuple[str, Found | None]] = [
            (file, state)
            for file, value in self.values.items()
            for state in states_of(value)
            if at is None or at in (dotted(state.path), file)
        ]
        if found or self.wanted or at is not None or not has_configuration(self.args):
            return found
        return [(file, None) for file in self.values]

    def _values(self) -> Iterator[tuple[str, Any]]:
        """The value in each file."""
        from olm.foreign.checkpoints import files_of

        path = Path(self.args.file)
        folder = self.args.file != STDIN and path.is_dir()
        for file in files_of(path) if folder else [path]:
            try:
                if str(file) == STDIN or file.is_dir() or file.is_file():
                    yield from self._value(file, str(file))
                else:
                    yield from self._piped(file)
            except OlmError as error:
                self._problem(str(file), (), "unreadable", str(error))

    def _value(self, file: Path, name: str) -> Iterator[tuple[str, Any]]:
        """The value in a file or a folder that torch saved, or in a text."""
        if str(file) == STDIN or not (file.is_dir() or _is_binary(file)):
            yield from self._text(str(file), name)
            return
        from olm.train.adoption import values_beside

        config = self.args.config
        yield name, values_beside(file, None if config is None else Path(config))

    def _piped(self, pipe: Path) -> Iterator[tuple[str, Any]]:
        """The value in what can be read only once, such as ``<(...)`` in a shell."""
        from tempfile import TemporaryDirectory

        with TemporaryDirectory() as folder:
            copy = Path(folder, "state")
            with pipe.open("rb") as source, copy.open("wb") as target:
                copyfileobj(source, target)
            yield from self._value(copy, str(pipe))

    def _text(self, path: str, name: str) -> Iterator[tuple[str, Any]]:
        """The value of JSON or YAML; one of olm's states is checked like a spec."""
        result = checked(path) if path == name else check(read(Path(path).read_bytes(), name))
        document, value = result.document, result.document.value
        ours = isinstance(value, dict) and bool({"kind", "digest"} & set(value))
        if result.spec is None and (ours or document.problems or not document.readable):
            self._show_problems(result)
            return
        # Before its first metric, torch's plateau holds an infinity, which YAML reads as a string.
        with suppress(ValueError):
            value = json.loads(result.text.content)
        yield result.file, value

    def _spec(self, file: str, state: Found | None) -> Continued | None:
        """The state of a scheduler, unless it has problems."""
        from olm.foreign.configs._config import Refusal

        try:
            return self._read(file, state)
        except Refusal as error:
            for problem in error.problems:
                self._problem(str(problem.place), (), problem.code, _text(problem))
        except SpecError as error:
            for problem in error.problems:
                path = (*(state.path if state else ()), *problem.path)
                self._problem(file, path, problem.code, _text(problem))
        except OlmError as error:
            self._problem(file, state.path if state else (), "state", str(error))
        return None

    def _read(self, file: str, state: Found | None) -> Continued:
        """The state of a scheduler, with the schedule of a configuration if it has none.

        Raises:
            OlmError: it cannot be read, or lacks the schedule.
            Misuse: there are options for a schedule in a configuration, and none is read.
        """
        from olm.foreign.checkpoints import UnsaidSchedule
        from olm.foreign.continued import Continued

        try:
            if state is not None:
                spec = _spec_of(state, self.wanted)
                if self.wanted is None and (self.clock is not None or self.args.config):
                    text = "a state is in steps already, and this one has its schedule"
                    raise Misuse(f"{text}: a run length is for --spec and --config only")
                return Continued(spec, str(state.writer))
        except UnsaidSchedule as error:
            if not has_configuration(self.args):
                raise StateError(f"{error}\n{nothing_beside()}") from None
        return continued_from(self.args, self.clock, self.values[file], state)

    def _problem(self, file: str, path: tuple[str | int, ...], code: str, message: str) -> None:
        self.problems += 1
        where = f"{file}: {dotted(path)}" if path else file
        error, first = self.paint("error", f"error[{code}]"), message.splitlines() or [""]
        print(f"{self.paint('bold', visible(where))}: {error}: {self.paint('bold', first[0])}")
        print(*(visible(line) for line in first[1:]), "", sep="\n")

    def _show(self, file: str, state: Found | None) -> None:
        read = self._spec(file, state)
        if read is not None:
            place = f": {_path(state)}" if _path(state) else ""
            print(self.paint("bold", visible(f"{file}{place}")))
            print(*(f"  {line}" for line in facts(read.state, read.writer)), "", sep="\n")

    def _nothing(self, verb: str = "state") -> int:
        at = f" at {self.args.at}" if self.args.at else ""
        print(f"olm {verb}: no scheduler state in {visible(self.args.file + at)}", file=sys.stderr)
        return NOTHING_MATCHED

    def _summary(self, count: int) -> str:
        if self.problems:
            return outcome(Tally(1, 1, errors=self.problems))
        return f"{quantity(count, 'state')} {'is' if count == 1 else 'are'} fine"


def _path(state: Found | None) -> str:
    """Where a state is in its file."""
    return dotted(state.path) if state else ""


def _text(problem: Problem) -> str:
    """A problem with its hint, on a line."""
    return f"{problem.message} ({problem.hint})" if problem.hint else problem.message


def _spec_of(state: Found, wanted: Spec | None) -> Spec:
    """The spec of a state, which must match the wanted spec, if there is one.

    Raises:
        SpecError: it is a state of olm's, and invalid.
        StateError: it is of another schedule or of an unknown class, or is incomplete.
    """
    from olm.foreign.checkpoints import OURS, spec_of
    from olm.spec.agreement import agreed
    from olm.spec.parent import branched

    if wanted is None:
        return spec_of(state)
    if wanted.durations_there():
        return _spec_as_written(state, wanted)
    if state.writer != OURS:
        return spec_of(state, wanted.schedule)
    spec = spec_of(state)
    wanted = _for_groups_of(spec, wanted)
    return agreed(branched(spec, wanted), wanted, spec.base_lrs or (), "error")


def _for_groups_of(state: Spec, wanted: Spec) -> Spec:
    """A spec for the param groups of a state, with their own numbers, as a scheduler would have it.

    Raises:
        SpecError: a target is for a param group that the state does not have.
    """
    if not wanted.also:
        return wanted
    from olm.spec.param_groups import ParamGroup

    if state.param_groups and not wanted.param_groups:
        wanted = parse({**wanted.model_dump(), "param_groups": state.group_names})
    names = wanted.group_names or [f"#{index}" for index, _ in enumerate(state.base_lrs or ())]
    known = {target.identity: target.bases for target in state.also}
    also = tuple(target.with_bases(known.get(target.identity)) for target in wanted.also)
    groups = tuple(map(ParamGroup, names))
    return Spec.trusted(wanted.schedule, also=also, param_groups=groups, **wanted.origin)


def _spec_as_written(state: Found, wanted: Spec) -> Spec:
    """The spec of a state, compared with a spec whose durations need a clock."""
    from olm.foreign.checkpoints import OURS, spec_of
    from olm.schedule.clock import Clock
    from olm.spec.differences import differences

    spec = spec_of(state) if state.writer == OURS else None
    if spec is None or not spec.durations:
        waiting = wanted.durations_there()
        durations = listed(f"{dotted(path)}: {duration}" for path, duration in waiting)
        options = dict.fromkeys(option(Clock().lacks(duration)) for _, duration in waiting)
        raise StateError(
            f"the state has no durations, and those of the spec need a clock ({durations}): "
            f"give {listed(options, 'and')}"
        )
    found = [field for field in differences(spec, wanted) if not field.memory]
    if found:
        lines = map(_difference, found)
        raise StateError("\n  ".join(["this state is of another schedule", *lines]))
    return spec


def _difference(field: Difference) -> str:
    """A field that a state and a spec do not have in common, after the target that has it."""
    of = f"{field.target}: " if field.target else ""
    if not field.path:
        return f"{of}only {'the checkpoint' if field.only_in == 'a' else 'the spec'} has it"
    return f"{of}{dotted(field.path)}: the checkpoint has {field.a}, the spec {field.b}"


def _is_binary(path: Path) -> bool:
    if str(path) == STDIN:
        return False
    with path.open("rb") as file:
        return file.read(2).startswith(BINARY)
