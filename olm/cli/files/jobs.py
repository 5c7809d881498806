"""Checks in several processes, with the results in the order of the files.

A process is forked, which takes a few milliseconds; starting another Python would take as long as
to check a thousand files does. Each has every n-th batch of the files, so that nothing has to be
handed out, and only the problems, with the text that they are in, come back.
"""

from __future__ import annotations

import os
import pickle
import signal
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple, NoReturn, TypeAlias

from olm.checking.check import Checked
from olm.cli import Misuse
from olm.cli.files.search import STDIN
from olm.problem import Problem
from olm.text.document import Document
from olm.text.source import Text

BATCH = 50
"""How many files are checked before their results are sent: some ten milliseconds of work."""

Check: TypeAlias = Callable[[str], Checked]


class Sent(NamedTuple):
    """What comes back of a result."""

    content: str = ""
    problems: tuple[Problem, ...] = ()
    mended: int = 0
    clocks: tuple[str, ...] = ()
    waits: bool = False


Found: TypeAlias = dict[int, Sent]
"""The results of a batch that have something to tell, by their numbers in it."""


def number_of_cores() -> int:
    """How many processes can run at once."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def in_order(check: Check, paths: Sequence[str], jobs: int = 1) -> Generator[Checked, None, None]:
    """The results of a check of every file.

    Args:
        check: what checks a file.
        paths: the files.
        jobs: in how many processes; 0 stands for as many as there are cores.

    Raises:
        Misuse: one of the processes died.
    """
    batches = [paths[first : first + BATCH] for first in range(0, len(paths), BATCH)]
    jobs = min(jobs or number_of_cores(), len(batches))
    # Only this process has the standard input.
    if jobs < 2 or STDIN in paths or not hasattr(os, "fork"):
        yield from map(check, paths)
    else:
        yield from _in_processes(check, batches, jobs)


def _in_processes(check: Check, batches: Sequence[Sequence[str]], jobs: int) -> Iterator[Checked]:
    workers: list[Worker] = []
    try:
        with _without_interrupts():
            workers += (_started(check, batches[number::jobs]) for number in range(jobs))
        for number, batch in enumerate(batches):
            found = workers[number % jobs].next_batch()
            for index, path in enumerate(batch):
                yield _received(path, found.get(index, Sent()))
    finally:
        for worker in workers:
            worker.end()


@dataclass
class Worker:
    """A process, and what comes from it."""

    process: int
    results: BinaryIO
    is_there: bool = True

    def next_batch(self) -> Found:
        """The results of its next batch."""
        try:
            found: Found | Exception = pickle.load(self.results)
        except (EOFError, pickle.UnpicklingError):
            raise Misuse(f"{self._ended()}: `--jobs 1` takes the least memory") from None
        if isinstance(found, Exception):
            raise found
        return found

    def end(self) -> None:
        """Stop it, if it has not come to its end."""
        self.results.close()
        if self.is_there:
            os.kill(self.process, signal.SIGTERM)
            self._wait()

    def _wait(self) -> int:
        self.is_there = False
        return os.waitstatus_to_exitcode(os.waitpid(self.process, 0)[1])

    def _ended(self) -> str:
        status = self._wait()
        how = f"by {signal.Signals(-status).name}" if status < 0 else f"with status {status}"
        return f"one of the processes that check was ended {how}"


def _started(check: Check, batches: Sequence[Sequence[str]]) -> Worker:
    """A new process that checks some batches."""
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        os.close(reading)
        _work(check, batches, writing)
    # Nobody else may hold this end: the pipe is closed when the process is gone.
    os.close(writing)
    return Worker(process, os.fdopen(reading, "rb"))


def _work(check: Check, batches: Sequence[Sequence[str]], writing: int) -> NoReturn:
    """Check batches; nothing of what the process was forked from may run at its end."""
    status = 1
    try:
        with os.fdopen(writing, "wb") as results:
            _send_all(check, batches, results)
        status = 0
    finally:
        os._exit(status)


def _send_all(check: Check, batches: Sequence[Sequence[str]], results: BinaryIO) -> None:
    try:
        for batch in batches:
            checked = enumerate(map(check, batch))
            found = {index: _sent(result) for index, result in checked if _is_news(result)}
            pickle.dump(found, results, pickle.HIGHEST_PROTOCOL)
            results.flush()
    except BrokenPipeError:
        # Nobody wants to know any more.
        return
    except Exception as error:
        pickle.dump(error, results)


def _is_news(result: Checked) -> bool:
    return bool(result.problems or result.mended or result.clocks or result.waits)


def _sent(result: Checked) -> Sent:
    """What a report needs of a result: its document has the parser's events, which stay here."""
    return Sent(result.text.content, result.problems, result.mended, result.clocks, result.waits)


def _received(path: str, sent: Sent) -> Checked:
    content, problems, mended, clocks, waits = sent
    document = Document(Text(path, content), readable=not problems)
    return Checked(document, problems, mended=mended, clocks=clocks, waits=waits)


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Let Ctrl-C wait. A process that begins meanwhile never gets it: it is ended by this one."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
