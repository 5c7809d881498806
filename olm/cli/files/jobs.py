"""Checks in several processes, with the results in the order of the files."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing import get_context, parent_process
from threading import Thread
from typing import TypeAlias

from olm.checking.check import Checked
from olm.cli import Misuse
from olm.cli.files.search import STDIN
from olm.text.document import Document
from olm.text.source import Text

BATCH = 50
"""How many files a process checks before it sends their results: about ten milliseconds of work."""

Check: TypeAlias = Callable[[str], Checked]

_check: Check
"""In a worker, what checks a file. A fork inherits it; to be sent, it would have to be pickled."""


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
        jobs: the number of processes; 0 for one per core.

    Raises:
        Misuse: a process was killed.
    """
    batches = [paths[first : first + BATCH] for first in range(0, len(paths), BATCH)]
    jobs = min(jobs or number_of_cores(), len(batches))
    # Only this process has the standard input.
    if jobs < 2 or STDIN in paths or not hasattr(os, "fork"):
        yield from map(check, paths)
    else:
        yield from _in_processes(check, batches, jobs)


def _in_processes(check: Check, batches: Sequence[Sequence[str]], jobs: int) -> Iterator[Checked]:
    # To fork takes milliseconds; to start another Python, as long as to check a thousand files.
    pool = ProcessPoolExecutor(jobs, get_context("fork"), _begin, (check,))
    try:
        with _without_interrupts():
            results = pool.map(_reports, batches)
        for batch, reports in zip(batches, results, strict=True):
            for path, report in zip(batch, reports, strict=True):
                yield report or Checked(Document(Text(path, "")), ())
    except BrokenProcessPool:
        message = "a process that checks files was killed: `--jobs 1` needs the least memory"
        raise Misuse(message) from None
    finally:
        pool.shutdown(cancel_futures=True)


def _begin(check: Check) -> None:
    """Prepare a worker: what it checks with, and that it ends when its parent is killed."""
    global _check
    _check = check
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    if (parent := parent_process()) is not None:
        parent.join()
        os._exit(1)


def _reports(paths: Iterable[str]) -> list[Checked | None]:
    """The results for a batch: nothing for a file without findings."""
    return [_report(_check(path)) for path in paths]


def _report(result: Checked) -> Checked | None:
    """What is printed of a result, without its spec and the places of its values."""
    if not (result.problems or result.fixed or result.clocks or result.waits):
        return None
    document = Document(Text(result.file, result.text.content), readable=not result.problems)
    return replace(result, document=document, spec=None, counted=None)


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Block Ctrl-C, also in the processes that are forked meanwhile: this process ends them."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
