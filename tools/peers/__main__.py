"""Write what the peers' own schedulers give, as exact numbers, to tests/peers/<peer>.json.

    python3 tools/peers                     all peers
    python3 tools/peers torch --check       write nothing, tell whether torch still gives the same

Each peer is installed, at the version in its file in tools/peers, into an environment of its own
in .venv-peers, made when missing or stale. The exit status is 0 if all is well; that of --check is
1 if any number differs.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from itertools import zip_longest
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent

# Python puts this folder here, where a peer's file would hide the peer: `torch.py` torch itself.
sys.path[0] = str(FOLDER.parent)

from environment import ROOT  # noqa: E402
from peers import Peer, Row  # noqa: E402
from peers._environments import python_of, variables  # noqa: E402

COMMAND = "python3 tools/peers"
CURVES = ROOT / "tests" / "peers"
NAMES = sorted(path.stem for path in FOLDER.glob("[!_]*.py"))


def main(args: list[str]) -> int:
    """Write or check the files of some peers, and return the exit status."""
    parser = argparse.ArgumentParser(
        prog=COMMAND, description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("peers", nargs="*", metavar="PEER", help=f"one of {', '.join(NAMES)}")
    parser.add_argument("--check", action="store_true", help="write nothing, tell what differs")
    here = "take the peer that this Python has installed, and make no environment"
    parser.add_argument("--here", action="store_true", help=here)
    given = parser.parse_args(args)
    if unknown := [name for name in given.peers if name not in NAMES]:
        parser.error(f"there is no peer {unknown[0]}, there are {', '.join(NAMES)}")
    work = _here if given.here else _in_environment
    return max([work(name, _peer(name), given.check) for name in given.peers or NAMES])


def _peer(name: str) -> Peer:
    peer: Peer = import_module(f"peers.{name}").PEER
    return peer


def _in_environment(name: str, peer: Peer, check: bool) -> int:
    """The same command again, with the Python that has the peer."""
    command = [str(python_of(name, peer)), str(FOLDER), name, "--here", *["--check"] * check]
    return subprocess.run(command, env=variables()).returncode


def _here(name: str, peer: Peer, check: bool) -> int:
    installed = _version(peer.distribution)
    if installed != peer.version:
        sys.exit(f"{name} must be {peer.version} here, found {installed or 'none'}")
    path = CURVES / f"{name}.json"
    shown = path.relative_to(ROOT)
    lines = list(_lines(name, peer))
    old = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    differ = [n for n, (new, was) in enumerate(zip_longest(lines, old), 1) if new != was]
    if check and differ:
        _say(f"{shown}: {len(differ)} lines differ, the first is line {differ[0]}\n")
    elif not check:
        path.parent.mkdir(exist_ok=True)
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return int(check and bool(differ))


def _lines(name: str, peer: Peer) -> Iterator[str]:
    """The file, a line a row."""
    head = {
        "peer": peer.distribution,
        "version": peer.version,
        "torch": _version("torch"),
        "regenerate": f"{COMMAND} {name}",
        "tolerance": peer.tolerance,
    }
    yield "{"
    yield from (f"{_json(key)}: {_json(value)}," for key, value in head.items())
    yield '"rows": ['
    yield from _listed(_rows(name, peer))
    yield '], "refused": ['
    yield from _listed(vars(refused) for refused in peer.refused)
    if peer.answers is not None:
        yield '], "durations": ['
        yield from _listed({**vars(one), "answers": peer.answers(one)} for one in peer.durations)
    yield "]}"


def _listed(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    texts = [_json(row) for row in rows]
    yield from (text + "," for text in texts[:-1])
    yield from texts[-1:]


def _rows(name: str, peer: Peer) -> Iterator[dict[str, Any]]:
    """What is written about each configuration: for every base rate its curve."""
    for number, row in enumerate(peer.rows, 1):
        _progress(name, number, len(peer.rows))
        for base, values in zip(row.base_lrs, peer.rates(row), strict=True):
            yield _written(row, base, values)


def _written(row: Row, base: float, values: Sequence[float | None]) -> dict[str, Any]:
    if None in values and not row.instead:
        sys.exit(f"{row.peer} raises an error: its row must say what olm gives instead")
    instead = {"instead": row.instead} if row.instead else {}
    said = {"peer": row.peer, "olm": row.olm, "base_lr": base, **instead}
    return {**said, "steps": row.steps, "values": values}


def _version(distribution: str) -> str | None:
    """The version that is installed, without what tells one build of it from another."""
    try:
        return version(distribution).partition("+")[0]
    except PackageNotFoundError:
        return None


def _json(value: Any) -> str:
    return json.dumps(value, allow_nan=False)


def _progress(name: str, number: int, of: int) -> None:
    if sys.stderr.isatty() or number == of:
        _say(f"\r{name}: {number} of {of} configurations" + "\n" * (number == of))


def _say(text: str) -> None:
    print(text, end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
