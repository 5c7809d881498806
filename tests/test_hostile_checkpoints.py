"""Damaged and hostile checkpoints and states: an error at once, and no code is run."""

import pickle
import random
import resource
import sys
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.distributed.checkpoint as dcp

import olm
import olm.kinds.plateau as plateau_file
from olm.cli import main
from olm.foreign.checkpoints import states_of
from olm.foreign.states import read
from olm.foreign.states._reading import Seen
from olm.kinds import KINDS
from olm.problem import OlmError, StateError
from olm.train.checkpoints import load

PLATEAU = KINDS["ReduceLROnPlateau"]


def optimizer():
    return torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.5)


def shared(levels, width, innermost):
    value = innermost
    for _ in range(levels):
        value = [value] * width
    return value


def saved(folder, legacy=False):
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer(), 3)
    path = folder / "run.pt"
    content = {"scheduler": scheduler.state_dict(), "weights": torch.zeros(3)}
    torch.save(content, path, _use_new_zipfile_serialization=not legacy)
    return path


def test_values_that_many_places_share_are_looked_into_once():
    state = {"gamma": 0.9, "base_lrs": [1.0], "last_epoch": 3}
    assert [found.state for found in states_of(shared(9, 60, state)[0][0][0])] == [state]
    assert states_of(shared(9, 60, "a")) == []
    around = []
    around.append(around)
    assert states_of({"a": around}) == []


def test_a_state_that_is_met_deep_and_then_higher_up_is_found():
    inner = {"gamma": 0.9, "base_lrs": [1.0], "last_epoch": 3}
    beyond = {"a": {"b": inner}}
    deep = {"c": {"d": {"e": {"f": {"g": {"h": beyond}}}}}}
    assert [found.state for found in states_of({"deep": deep, "high": beyond})] == [inner]


def test_a_composition_that_shares_its_parts_or_holds_itself_is_refused():
    part = {"gamma": 0.9, "base_lrs": [1.0], "last_epoch": 3, "_last_lr": [0.729]}
    for _ in range(30):
        part = {"_schedulers": [part, part], "_last_lr": [0.5]}
    with pytest.raises(StateError, match="at most 100,000 values"):
        read(part, Seen())
    endless = {"_schedulers": [], "_last_lr": [0.5]}
    endless["_schedulers"].append(endless)
    with pytest.raises(StateError, match="nested at most 64 deep"):
        read(endless, Seen())
    with pytest.raises(StateError):
        olm.build({"kind": "ExponentialLR", "gamma": 0.9}, optimizer()).load_state_dict(endless)


@pytest.mark.parametrize("count", [100_001, 10**9, 10**30])
def test_a_count_in_a_state_is_not_unrolled_into_a_list_beyond_all_bounds(count):
    state = {"milestones": {"5": count}, "gamma": 0.5, "base_lrs": [0.1], "last_epoch": 1}
    with pytest.raises(StateError, match="must count at most 100,000 steps"):
        read(state, Seen())
    scheduler = olm.build({"kind": "MultiStepLR", "milestones": [5], "gamma": 0.5}, optimizer())
    with pytest.raises(StateError, match="must count at most 100,000 steps"):
        scheduler.load_state_dict(state)


def reduced_one_by_one(plateau, base):
    """The formula as torch applies it, one reduction after another."""
    rate = base
    for _ in range(plateau.num_reductions):
        fallen = max(rate * plateau.factor, plateau.min_lr)
        if rate - fallen <= plateau.eps:
            break
        rate = fallen
    return rate


def test_many_reductions_give_the_bits_of_one_after_another():
    draw = random.Random(3)
    for _ in range(300):
        plateau = PLATEAU(
            factor=draw.choice([0.1, 0.5, 0.9, 0.999, 0.99999]),
            min_lr=draw.choice([0.0, 1e-6, 0.05, 2.0]),
            eps=draw.choice([0.0, 1e-8, 1e-3]),
            num_reductions=draw.choice([0, 1, 7, 1023, 1024, 1025, 3000]),
        )
        bases = [draw.uniform(0, 1) for _ in range(4)] + [0.0]
        expected = [reduced_one_by_one(plateau, base) for base in bases]
        assert plateau.lr(np.zeros(5), bases).tolist() == expected


def test_the_most_reductions_cost_no_loop_in_python(monkeypatch):
    plateau = PLATEAU(factor=0.99999, eps=0.0, num_reductions=100_000)
    calls = []
    real = plateau_file._reduced_at_once
    monkeypatch.setattr(
        plateau_file, "_reduced_at_once", lambda *args: calls.append(1) or real(*args)
    )
    assert plateau.lr(np.arange(64), 1.0)[5] == pytest.approx(0.99999**100_000, rel=1e-9)
    assert len(calls) == 98


def test_a_compressed_file_is_refused_before_it_is_unpacked(tmp_path):
    path = tmp_path / "bomb.pt"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", b"0\x8a\x01\x05" * 1_000_000)
        archive.writestr("archive/version", b"3")
    with pytest.raises(StateError, match="compressed or overlap"):
        load(path)


def test_a_pickle_that_is_too_large_is_refused_before_it_is_read(tmp_path, monkeypatch):
    path = saved(tmp_path)
    monkeypatch.setattr("olm.train.checkpoints.LARGEST_PICKLE", 100)
    with pytest.raises(StateError, match="its values take more than"):
        load(path)


GREEDY = {
    "a bytearray": b"cbuiltins\nbytearray\n%sR",
    "a set of the items of a tensor": b"cbuiltins\nset\nctorch\nTensor\n%sR\x85R",
    "a storage of the items of a tensor": (
        b"ctorch.storage\nUntypedStorage\nctorch\nTensor\n%sR\x85R"
    ),
    "text that is encoded again and again": (
        b"c_codecs\nencode\nq\x00h\x00X\x01\0\0\0aX\x06\0\0\0latin1\x86R"
        + b"q\x01h\x00h\x01X\x03\0\0\0hex\x86R" * 34
    ),
}
"""Values that take 4 GB or more, but for the header and with `%s` as a number."""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux bounds the memory of a process")
@pytest.mark.parametrize("values", GREEDY.values(), ids=GREEDY)
def test_a_few_bytes_cannot_take_all_memory(values, tmp_path):
    number = b"\x8a\x05" + (4 * 10**9).to_bytes(5, "little") + b"\x85"
    path, peak = tmp_path / "run.pt", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("run/data.pkl", b"\x80\x02" + values.replace(b"%s", number) + b".")
        archive.writestr("run/byteorder", b"little")
        archive.writestr("run/version", b"3\n")
    limits = resource.getrlimit(resource.RLIMIT_DATA)
    with pytest.raises(StateError, match="reading it takes far more than its size"):
        load(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak < 500 << 10
    assert resource.getrlimit(resource.RLIMIT_DATA) == limits


def test_the_numbers_of_objects_in_a_list_of_contents_reserve_no_memory(tmp_path):
    folder = a_distributed_checkpoint(tmp_path / "run")
    metadata, peak = folder / ".metadata", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    content = metadata.read_bytes()
    # Without the length of the whole, the number 2**27 for an empty list that is dropped.
    metadata.write_bytes(content[:2] + content[2 + 9 : -1] + b"]r\0\0\0\x080.")
    [found] = states_of(load(folder))
    assert found.state["kind"] == "ExponentialLR"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak < 100 << 10


@pytest.mark.parametrize("legacy", [False, True])
def test_a_file_that_is_cut_or_damaged_anywhere_is_refused_or_read(tmp_path, legacy):
    path = saved(tmp_path, legacy)
    whole, draw = path.read_bytes(), random.Random(7)
    cut = [whole[:length] for length in range(0, len(whole), max(1, len(whole) // 80))]
    for _ in range(150):
        torn = bytearray(whole)
        for _ in range(draw.randint(1, 8)):
            torn[draw.randrange(len(torn))] = draw.randrange(256)
        cut.append(bytes(torn))
    for data in cut:
        path.write_bytes(data)
        try:
            states_of(load(path))
        except (StateError, OSError):
            continue


def a_distributed_checkpoint(folder):
    scheduler = olm.build({"kind": "ExponentialLR", "gamma": 0.9}, optimizer())
    with warnings.catch_warnings():
        # That one process saves.
        warnings.simplefilter("ignore")
        dcp.save({"scheduler": scheduler.state_dict()}, checkpoint_id=folder, no_dist=True)
    return folder


def test_a_list_of_contents_that_is_damaged_anywhere_is_refused_or_read(tmp_path):
    folder = a_distributed_checkpoint(tmp_path / "run")
    metadata, draw = folder / ".metadata", random.Random(11)
    whole = metadata.read_bytes()
    for _ in range(400):
        torn = bytearray(whole)
        for _ in range(draw.randint(1, 6)):
            torn[draw.randrange(len(torn))] = draw.randrange(256)
        metadata.write_bytes(torn[: draw.choice([len(torn), draw.randrange(len(torn))])])
        try:
            states_of(load(folder))
        except (OlmError, OSError):
            continue


def test_a_list_of_contents_cannot_reach_a_class_and_so_read_outside_of_its_folder(tmp_path):
    folder = a_distributed_checkpoint(tmp_path / "run")
    (tmp_path / "outside.bin").write_bytes(b"secret")
    metadata = folder / ".metadata"
    real = metadata.read_bytes()
    attack = (
        b"cpathlib\nPurePosixPath\n(N}Vis_relative_to\n"
        b"ctorch.distributed.checkpoint.metadata\nMetadataIndex\nstb0"
    )
    metadata.write_bytes(attack + real.replace(b"__0_0.distcp", b"../out.distc"))
    with pytest.raises(StateError):
        load(folder)
    assert Path("a/b").is_relative_to("a")
    metadata.write_bytes(real)
    [found] = states_of(load(folder))
    assert found.state["kind"] == "ExponentialLR"


def test_a_list_of_contents_runs_no_code(tmp_path):
    folder = a_distributed_checkpoint(tmp_path / "run")

    class Code:
        def __reduce__(self):
            return (exec, ("raise SystemExit(7)",))

    (folder / ".metadata").write_bytes(pickle.dumps(Code()))
    with pytest.raises(StateError, match=r"pickled code in it, `builtins\.exec`, which is not run"):
        load(folder)


def test_a_rate_without_a_value_is_refused_by_its_name():
    state = {"gamma": 0.9, "base_lrs": [torch.tensor(0.1, device="meta")], "last_epoch": 1}
    scheduler = olm.build({"kind": "ExponentialLR", "gamma": 0.9}, optimizer())
    with pytest.raises(OlmError):
        scheduler.load_state_dict(state)


def test_the_command_reports_a_damaged_checkpoint(tmp_path, capsys):
    path = saved(tmp_path, legacy=True)
    path.write_bytes(path.read_bytes()[:200])
    assert main(["state", str(path)]) == 1
    assert "error[unreadable]: this is not what torch saves" in capsys.readouterr().out
