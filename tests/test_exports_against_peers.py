"""What ``olm export`` writes for a peer has the rates of the spec when the peer runs it.

The texts in `tests/exports` are those that `olm export` writes. `python3 tools/peers` runs them.
"""

import json
from pathlib import Path

import numpy as np
import pytest

import olm
from olm.cli import FINE, main

ROOT = Path(__file__).resolve().parent
SPECS = sorted((ROOT / "exports").glob("*/*.olm.json"))


def text_of(spec):
    """The file with the text of a spec."""
    stem = spec.name.removesuffix(".olm.json")
    (file,) = (path for path in spec.parent.glob(f"{stem}.*") if path != spec)
    return file


@pytest.mark.parametrize("path", SPECS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_an_exported_text_is_the_one_that_the_peer_ran(path, capsys):
    assert main(["export", str(path), "--to", path.parent.name]) == FINE
    assert capsys.readouterr().out == text_of(path).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted({path.parent.name for path in SPECS}))
def test_the_peer_trains_with_the_exported_rates(name):
    peer = json.loads((ROOT / "peers" / f"{name}.json").read_text(encoding="utf-8"))
    ran = {row["file"]: row["values"] for row in peer["exported"]}
    specs = [path for path in SPECS if path.parent.name == name]
    assert [*ran] == [text_of(path).name for path in specs]
    for path in specs:
        spec = olm.load(path)
        base, rates = dict(spec.optimizer)["lr"], ran[text_of(path).name]
        expected = spec.resolve().lr(np.arange(len(rates)), base)
        assert rates == pytest.approx(expected, abs=peer["tolerance"] * max(expected))
