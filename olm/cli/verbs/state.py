"""``olm state``: what the state of a scheduler in a checkpoint says, and that state as JSON."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from olm.checking.check import Options
from olm.cli import FINE, MISUSE, NOTHING_MATCHED, PROBLEMS, Misuse
from olm.cli.clock_options import add_clock, clock_of, option
from olm.cli.drawing.sentence import in_words
from olm.cli.files.search import STDIN, is_there
from olm.cli.formats import Tally, outcome
from olm.cli.formats.text import of_file
from olm.cli.input import BINARY, checked
from olm.cli.terminal import Paint, visible, wants_colour
from olm.problem import OlmError, SpecError, StateError, dotted

if TYPE_CHECKING:
    from olm.checking.check import Checked
    from olm.foreign.checkpoints import Found
    from olm.problem import Problem
    from olm.schedule.clock import Clock
    from olm.spec.spec import Spec

SUMMARY = "say what the scheduler's state in a checkpoint is, and convert it"

EPILOG = """\
FILE is what a trainer saved: a state in JSON or YAML; a file of torch's with a state
anywhere in it (.pt, .pth, .bin, a Lightning .ckpt); or a folder, of transformers'
Trainer, of Accelerate, or of torch's distributed checkpoints. The states of torch's
schedulers and of OpenLanguageModel are read, too. No code in FILE is run.

A state is in optimizer steps, and says what was written where that was in other units.
The durations of SPEC are counted by the options, else by its own clock; without any,
they are held against what the state says was written.

example:
  $ echo '{"gamma": 0.5, "base_lrs": [0.8], "last_epoch": 2}' | olm state -
  <stdin>
    written by  torch's ExponentialLR
    step        2, the last one taken
    base rates  0.8
    rates now   0.2
    next rates  0.1
    ExponentialLR: the base rate, times 0.5 at every step.
  ...

exit status: 0 fine, 1 problems, 2 wrong use, 3 no state found
"""

LISTED = 8
"""How many rates are shown."""


def add_arguments(parser: ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("file", metavar="FILE", help="a checkpoint; - is standard input")
    parser.add_argument("--at", metavar="PLACE", help="which state, where FILE has several")
    parser.add_argument(
        "--spec", metavar="SPEC", help="the schedule that the state must be of, or does not say"
    )
    add_clock(parser.add_argument_group("what the run is, for the durations of SPEC"))
    parser.add_argument("--json", action="store_true", help="print the state as olm's JSON")
    parser.add_argument("--out", metavar="OUT", help="write that to a file, in one move")


def run(args: Namespace) -> int:
    """Show or convert the states in a checkpoint, or what is wrong with them."""
    for path in filter(None, (args.file, args.spec)):
        if not is_there(path):
            print(f"olm state: there is no file or folder {path}", file=sys.stderr)
            return MISUSE
    try:
        clock = clock_of(args)
        if clock is not None and args.spec is None:
            raise Misuse("a state is in steps, and a clock is for the durations of --spec")
        command = _Command(args, Paint(wants_colour(sys.stdout)), clock)
        return command.convert() if args.json or args.out is not None else command.show()
    except BrokenPipeError:
        raise
    except (OSError, Misuse) as error:
        print(f"olm state: {error}", file=sys.stderr)
        return MISUSE


class _Command:
    """One run of the command, which counts the problems."""

    def __init__(self, args: Namespace, paint: Paint, clock: Clock | None) -> None:
        self.args, self.paint, self.clock = args, paint, clock
        self.problems = 0
        self.wanted: Spec | None = None

    def show(self) -> int:
        """Print what each state says."""
        found = self._found()
        if not found and not self.problems:
            return self._nothing()
        for file, one in found:
            self._show(file, one)
        print(self.paint("bold" if self.problems else "fine", self._summary(len(found))))
        return PROBLEMS if self.problems else FINE

    def convert(self) -> int:
        """Print or write the one state as JSON."""
        # What is printed beside the JSON must not be taken for a part of it.
        with redirect_stdout(sys.stderr):
            found = self._found()
            spec = self._spec(*found[0]) if len(found) == 1 else None
        if len(found) > 1:
            places = ", ".join(dotted(one.path) or file for file, one in found)
            print(f"olm state: which of these, --at PLACE: {visible(places)}", file=sys.stderr)
            return MISUSE
        if spec is None:
            return PROBLEMS if self.problems else self._nothing()
        if self.args.json:
            print(json.dumps(spec.model_dump(), indent=2, allow_nan=False))
        if self.args.out is not None:
            from olm.text.write import write_json

            write_json(self.args.out, spec.model_dump())
        return FINE

    def _wanted(self, path: str) -> Spec | None:
        """The spec that the states are to be of, in steps if a clock counts them."""
        result = checked(path, Options(clock=self.clock))
        if result.spec is None:
            self._show_problems(result)
        return result.counted or result.spec

    def _show_problems(self, result: Checked) -> None:
        self.problems += len(result.problems)
        print(*of_file(result, self.paint), sep="", end="")

    def _found(self) -> list[tuple[str, Found]]:
        """Every state that there is, or the one that was asked for, with its file."""
        from olm.foreign.checkpoints import states_of

        if self.args.spec:
            self.wanted = self._wanted(self.args.spec)
            if self.wanted is None:
                return []
        found = [(file, one) for file, value in self._values() for one in states_of(value)]
        at = self.args.at
        return [(file, one) for file, one in found if at is None or at in (dotted(one.path), file)]

    def _values(self) -> Iterator[tuple[str, Any]]:
        """What is in each file."""
        from olm.foreign.checkpoints import files_of

        path = Path(self.args.file)
        folder = self.args.file != STDIN and path.is_dir()
        for file in files_of(path) if folder else [path]:
            try:
                if file.is_dir() or _is_binary(file):
                    from olm.train.checkpoints import load

                    yield str(file), load(file)
                else:
                    yield from self._text(str(file))
            except OlmError as error:
                self._problem(str(file), (), "unreadable", str(error))

    def _text(self, path: str) -> Iterator[tuple[str, Any]]:
        """What a JSON or YAML text says: a state of ours, which is checked as specs are, or not."""
        result = checked(path)
        document, value = result.document, result.document.value
        ours = isinstance(value, dict) and bool({"kind", "digest"} & set(value))
        if result.spec is None and (ours or document.problems or not document.readable):
            self._show_problems(result)
            return
        # JSON by Python has an infinity where a plateau of torch's has seen nothing; YAML a string.
        with suppress(ValueError):
            value = json.loads(result.text.content)
        yield result.file, value

    def _spec(self, file: str, one: Found) -> Spec | None:
        """What a state says, unless that is a problem."""
        try:
            return _held(one, self.wanted)
        except SpecError as error:
            for problem in error.problems:
                self._told(file, one, problem)
        except OlmError as error:
            self._problem(file, one.path, "state", str(error))
        return None

    def _told(self, file: str, one: Found, problem: Problem) -> None:
        hint = f" ({problem.hint})" if problem.hint else ""
        path = (*one.path, *problem.path)
        self._problem(file, path, problem.code, f"{problem.message}{hint}")

    def _problem(self, file: str, path: tuple[str | int, ...], code: str, message: str) -> None:
        self.problems += 1
        where = f"{file}: {dotted(path)}" if path else file
        error, first = self.paint("error", f"error[{code}]"), message.splitlines() or [""]
        print(f"{self.paint('bold', visible(where))}: {error}: {self.paint('bold', first[0])}")
        print(*(visible(line) for line in first[1:]), "", sep="\n")

    def _show(self, file: str, one: Found) -> None:
        spec = self._spec(file, one)
        if spec is not None:
            place = f": {dotted(one.path)}" if one.path else ""
            print(self.paint("bold", visible(f"{file}{place}")))
            print(*(f"  {line}" for line in _said(one, spec)), "", sep="\n")

    def _nothing(self) -> int:
        at = f" at {self.args.at}" if self.args.at else ""
        print(f"olm state: no state of a scheduler in {self.args.file}{at}", file=sys.stderr)
        return NOTHING_MATCHED

    def _summary(self, count: int) -> str:
        if self.problems:
            return outcome(Tally(1, 1, errors=self.problems))
        return "1 state is fine" if count == 1 else f"{count:,} states are fine"


def _held(one: Found, wanted: Spec | None) -> Spec:
    """What a state says, which is of the spec that is wanted, if one is.

    Raises:
        SpecError: it is one of ours, and not valid.
        StateError: it is of another schedule, of no class that is known, or does not say enough.
    """
    from olm.foreign.checkpoints import OURS, spec_of
    from olm.spec.agreement import agreed

    if wanted is None:
        return spec_of(one)
    if not wanted.schedule.is_counted:
        return _held_as_written(one, wanted)
    if one.writer != OURS:
        return spec_of(one, wanted.schedule)
    spec = spec_of(one)
    return agreed(spec, wanted, spec.base_lrs or (), "error")


def _held_as_written(one: Found, wanted: Spec) -> Spec:
    """What a state says, held to a spec whose durations no clock counts."""
    from olm.foreign.checkpoints import OURS, spec_of
    from olm.spec.differences import differences

    spec = spec_of(one) if one.writer == OURS else None
    if spec is None or not spec.durations:
        waiting = wanted.schedule.durations()
        lacking = ", ".join(f"{dotted(path)}: {it}" for path, it in waiting)
        options = " and ".join(dict.fromkeys(option(it.needs) for _, it in waiting))
        raise StateError(
            f"the state does not say durations, and no clock counts those of the spec ({lacking}): "
            f"give {options}"
        )
    found = [it for it in differences(spec, wanted) if not it.memory]
    if found:
        lines = (f"{dotted(it.path)}: the checkpoint has {it.a}, the spec {it.b}" for it in found)
        raise StateError("\n  ".join(["this state is of another schedule", *lines]))
    return spec


def _said(one: Found, spec: Spec) -> Iterator[str]:
    """What a state says, a line a fact."""
    step, bases = spec.last_epoch or 0, spec.base_lrs or ()
    yield f"written by  {one.writer}"
    yield f"step        {spec.last_epoch:,}" + ", the last one taken" * (step >= 0)
    yield f"base rates  {_rates(bases)}"
    yield f"rates now   {_rates([spec.lr(max(step, 0), base) for base in bases])}"
    if not spec.schedule.metric_driven:
        yield f"next rates  {_rates([spec.lr(step + 1, base) for base in bases])}"
    if spec.durations:
        yield f"written as  {_durations(spec)}"
    yield from in_words(spec.schedule)


def _durations(spec: Spec) -> str:
    """The durations as they were written, as far as anybody would read them."""
    texts = [f"{path}: {text}" for path, text in spec.durations]
    return ", ".join([*texts[:LISTED], *("..." for _ in texts[LISTED:][:1])])


def _rates(rates: Sequence[float]) -> str:
    """The rates of all param groups, exactly; those that all have, once.

    >>> _rates([0.5, 0.1]), _rates([0.5, 0.5])
    ('0.5, 0.1', '0.5 (2 param groups)')
    """
    if len(rates) > 1 and len(set(rates)) == 1:
        return f"{rates[0]!r} ({len(rates):,} param groups)"
    more = f", ... ({len(rates):,} param groups)" if len(rates) > LISTED else ""
    return ", ".join(map(repr, rates[:LISTED])) + more


def _is_binary(path: Path) -> bool:
    if str(path) == STDIN:
        return False
    with path.open("rb") as file:
        return file.read(2).startswith(BINARY)
