"""Write the exact rates that the schedulers of the peers compute to tests/peers/<peer>.json.

    python3 tools/peers                     write the rates of all peers
    python3 tools/peers torch --check       write nothing, report whether the rates of torch differ

Each peer is installed, in the version in its file in tools/peers, into its own environment in
.venv-peers, which is created when missing or stale. The exit status of --check is 1 if any number
differs.
"""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib import import_module
from itertools import zip_longest
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent

# Python puts this folder first, where `torch.py`, the file of a peer, would hide torch itself.
sys.path[0] = str(FOLDER.parent)

from environment import ROOT  # noqa: E402  # needs the path above
from peers import Peer, Row  # noqa: E402  # needs the path above
from peers._command import again, installed_version, require, run  # noqa: E402  # needs the path above

COMMAND = "python3 tools/peers"
CURVES = ROOT / "tests" / "peers"
EXPORTS = ROOT / "tests" / "exports"
NAMES = sorted(path.stem for path in FOLDER.glob("[!_]*.py"))


def main(args: list[str]) -> int:
    """Write or check the files of some peers, and return the exit status."""
    return run(args, COMMAND, __doc__, "peer", NAMES, separate=_in_environment, here=_here)


def _peer(name: str) -> Peer:
    peer: Peer = import_module(f"peers.{name}").PEER
    return peer


def _in_environment(name: str, check: bool) -> int:
    return again(FOLDER, name, name, _peer(name), check)


def _here(name: str, check: bool) -> int:
    peer = _peer(name)
    require(name, peer)
    path = CURVES / f"{name}.json"
    shown = path.relative_to(ROOT)
    lines = list(_lines(name, peer))
    old = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    differ = [n for n, (new, was) in enumerate(zip_longest(lines, old), 1) if new != was]
    if check and differ:
        _log(f"{shown}: {len(differ)} lines differ, the first is line {differ[0]}\n")
    elif not check:
        path.parent.mkdir(exist_ok=True)
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return int(check and bool(differ))


def _lines(name: str, peer: Peer) -> Iterator[str]:
    """The lines of the file, one for each row."""
    head = {
        "peer": peer.distribution,
        "version": peer.version,
        "torch": installed_version("torch"),
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
        yield from _listed({**vars(each), "answers": peer.answers(each)} for each in peer.durations)
    if peer.groups is not None:
        yield '], "param_groups": ['
        yield from _listed({**vars(each), "groups": peer.groups(each)} for each in peer.grouped)
    if peer.trained is not None:
        yield '], "runs": ['
        yield from _listed({**vars(run), **peer.trained(run)} for run in peer.runs)
    if peer.exported is not None:
        yield '], "exported": ['
        yield from _listed(_exported(name, peer.exported))
    yield "]}"


def _exported(name: str, rates: Callable[[str, int], list[float]]) -> Iterator[dict[str, Any]]:
    """The rates of each text that `olm export` wrote for the peer."""
    for spec in sorted((EXPORTS / name).glob("*.olm.json")):
        stem = spec.name.removesuffix(".olm.json")
        (file,) = (path for path in spec.parent.glob(f"{stem}.*") if path != spec)
        steps = json.loads(spec.read_text(encoding="utf-8"))["clock"]["total_steps"]
        yield {"file": file.name, "values": rates(file.read_text(encoding="utf-8"), steps)}


def _listed(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    texts = [_json(row) for row in rows]
    yield from (text + "," for text in texts[:-1])
    yield from texts[-1:]


def _rows(name: str, peer: Peer) -> Iterator[dict[str, Any]]:
    """A row for each configuration and base rate, with the curve."""
    for number, row in enumerate(peer.rows, 1):
        _progress(name, number, len(peer.rows))
        for base, values in zip(row.base_lrs, peer.rates(row), strict=True):
            yield _written(row, base, values)


def _written(row: Row, base: float, values: Sequence[float | None]) -> dict[str, Any]:
    if None in values and not row.instead:
        sys.exit(f"{row.peer} raises an error: its row needs `instead`, what olm does instead")
    instead = {"instead": row.instead} if row.instead else {}
    head = {"peer": row.peer, "olm": row.olm, "base_lr": base, **instead}
    metrics = {"metrics": row.metrics} if row.metrics else {}
    return {**head, "steps": row.steps, **metrics, "values": values}


def _json(value: Any) -> str:
    return json.dumps(value, allow_nan=False)


def _progress(name: str, number: int, of: int) -> None:
    if sys.stderr.isatty() or number == of:
        _log(f"\r{name}: {number} of {of} configurations" + "\n" * (number == of))


def _log(text: str) -> None:
    print(text, end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
