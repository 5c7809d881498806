"""A training process that is killed repeatedly ends like an uninterrupted one."""

import json
import os
import random
import resource
import signal
import stat
import subprocess
import sys
import time

import pytest
import torch

import olm
from crash import train
from crash.lives import Life, assert_same
from training import observed, optimizer_of, trained

LINEAR = {"kind": "LinearLR", "total_steps": 10}
LEFT = f"schedule.json.{'[0-9a-f]' * 16}.tmp"
"""The name of the temporary file that a killed save leaves."""


def started(kind, folder, *how):
    command = [sys.executable, train.__file__, kind, folder, *how]
    pipe = subprocess.PIPE
    return subprocess.Popen(list(map(str, command)), stdin=pipe, stdout=pipe, bufsize=0)


def undisturbed(kind, folder):
    """The output of a process that is not killed."""
    with started(kind, folder) as process:
        life = Life(process)
        life.read_until()
    assert process.returncode == 0
    return life


def alone(kind, folder, chance):
    """The output of a new interpreter, killed at a random moment."""
    with started(kind, folder, train.LIFE) as process:
        life = Life(process)
        strike(life, chance)
        life.read_until()
    assert process.returncode == -signal.SIGKILL
    return life


def forked(nursery, chance):
    """The output of a fork of a process that has torch in memory, killed at a random moment."""
    nursery.stdin.write(b"\n")
    life = Life(nursery)
    strike(life, chance)
    life.read_until("dead")
    return life


def stopped(nursery):
    """The output of a fork that took all its steps before it was killed."""
    nursery.stdin.write(b"\n")
    life = Life(nursery)
    life.read_until("end")
    life.kill()
    life.read_until("dead")
    return life


def strike(life, chance):
    """Kill a process soon after its start, in a step, or while it saves a state."""
    word = chance.choice(["pid", "step", "save", "save"])
    life.read_until("pid")
    for _ in range(chance.randint(1, 10) if word != "pid" else 0):
        if life.said[-1] != ["end"]:
            life.read_until(word, "end")
    time.sleep(chance.uniform(0, 0.0007 if word == "save" else 0.02))
    life.kill()


def check_state(life, folder, before):
    """Assert that the state is complete, of a saved step, and where the next process starts."""
    path, begun, saved = folder / "schedule.json", life.numbers("save"), life.numbers("saved")
    assert life.numbers("start") in ([], [before])
    last = saved[-1] if saved else before
    if not path.exists():
        assert last == 0
        return 0
    state = olm.load(path)
    assert state.is_state
    assert state.last_epoch in ({last} if begun == saved else {last, begun[-1]})
    assert json.loads(path.read_text()) == state.model_dump()
    assert train.training(folder, state.last_epoch).exists()
    return state.last_epoch


def steps_of(lives):
    """The rates and the loss of every step, which are the same if it was taken more than once."""
    steps = {}
    for life in lives:
        for word, *rest in life.said:
            if word == "step":
                assert steps.setdefault(int(rest[0]), rest) == rest
    return steps


def formula(kind, steps):
    """The numbers of every step by the schedules alone, which observe the same losses."""
    spec = olm.parse(train.SPECS[kind])
    for step in range(train.STEPS):
        yield [number.hex() for number in numbers_at(spec, step)]
        if step % train.EVERY == 0:
            # A metric observed after a step is listed at the next one.
            spec = observed(spec, float(steps[step][-1]), step + 1)


def numbers_at(spec, step):
    own = {"lr": train.BASES}
    if spec.also:
        own |= {"momentum": (0.9, 0.9), "weight_decay": train.DECAYS}
    for key, bases in own.items():
        for name, base in zip(("first", "last"), bases, strict=True):
            yield spec.of(key, step, base=base, group=name)
    if spec.also:
        yield spec.value("weight", step)


@pytest.mark.parametrize(("kind", "fresh"), [("plateau", 5), ("cosine", 2), ("targets", 2)])
def test_a_run_killed_forty_times_ends_with_the_same_rates_and_weights(kind, fresh, tmp_path):
    seed = random.randrange(2**32)
    print(f"the moments of the kills are drawn from the seed {seed}")
    chance = random.Random(seed)
    calm, rough = tmp_path / "calm", tmp_path / "rough"
    calm.mkdir(), rough.mkdir()
    wanted, lives, step = undisturbed(kind, calm), [], 0
    with started(kind, rough, "forks") as nursery:
        Life(nursery).read_until("ready")
        while step < train.STEPS:
            life = alone(kind, rough, chance) if len(lives) < fresh else forked(nursery, chance)
            lives.append(life)
            step = check_state(life, rough, step)
    in_save = sum(len(life.numbers("save")) > len(life.numbers("saved")) for life in lives)
    left = len([*rough.glob(LEFT)])
    print(f"{len(lives)} kills, {in_save} while a state was saved, {left} files left")
    assert len(lives) >= 40
    assert left <= in_save
    lives.append(undisturbed(kind, rough))
    steps = steps_of(lives)
    assert steps == steps_of([wanted])
    assert [steps[step][1:-1] for step in range(train.STEPS)] == [*formula(kind, steps)]
    assert_same(*(torch.load(train.training(folder, train.STEPS)) for folder in (calm, rough)))
    assert (calm / "schedule.json").read_bytes() == (rough / "schedule.json").read_bytes()


@pytest.mark.parametrize("there", [False, True], ids=["new", "there"])
def test_a_save_killed_at_any_line_leaves_the_old_or_the_new_state(there, tmp_path):
    path = tmp_path / "schedule.json"
    before, moves, lines, life = 0, [], [], None
    with started("cosine", tmp_path, "forks") as nursery:
        Life(nursery).read_until("ready")
        if there:
            before = check_state(stopped(nursery), tmp_path, 0)
        while not (life and life.numbers("saved")):
            if not there:
                path.unlink(missing_ok=True)
                before = 0
            nursery.stdin.write(f"{len(lines)}\n".encode())
            life = Life(nursery)
            life.read_until("dead")
            lines += life.numbers("line")
            after = check_state(life, tmp_path, before)
            moves.append(after - before)
            before = after
    assert len(lines) == len(moves) > 20
    # Up to some line, the file has the old state, then the new one.
    assert moves == sorted(moves)
    assert {*moves} == {0, 1}
    # As if nothing had been written for hours: the kills left the other files.
    left = [*tmp_path.glob(LEFT)]
    assert left
    for file in left:
        os.utime(file, (0, 0))
    olm.save_state(olm.build(train.SPECS["cosine"], optimizer_of(0.5)), path)
    assert not [*tmp_path.glob("*.tmp*")]


def test_a_save_does_not_touch_the_temporary_file_of_another_save(tmp_path):
    begun = [tmp_path / name for name in ("s.json.0123456789abcdef.tmp", "s.json.old.tmp")]
    for file in begun:
        file.touch()
    os.utime(begun[1], (0, 0))
    olm.save_state(olm.build(LINEAR, optimizer_of(0.5)), tmp_path / "s.json")
    assert {*tmp_path.iterdir()} == {*begun, tmp_path / "s.json"}


def test_a_full_disk_leaves_the_old_state_and_nothing_else(tmp_path):
    path = tmp_path / "state.json"
    scheduler = olm.build(LINEAR, optimizer_of(0.5))
    olm.save_state(scheduler, path)
    before = path.read_bytes()
    trained(scheduler, 1)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) // 2, limits[1]))
    try:
        with pytest.raises(OSError, match="too large"):
            olm.save_state(scheduler, path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_bytes() == before
    assert [*tmp_path.iterdir()] == [path]


def test_a_state_has_the_permissions_of_any_new_file(tmp_path):
    for mask in (0o022, 0o027, 0o077):
        path = tmp_path / f"state-{mask}.json"
        old = os.umask(mask)
        try:
            olm.save_state(olm.build(LINEAR, optimizer_of(0.5)), path)
        finally:
            os.umask(old)
        assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~mask


def test_the_permissions_of_an_existing_file_are_kept(tmp_path):
    path = tmp_path / "state.json"
    path.touch()
    for mode in (0o640, 0o604):
        path.chmod(mode)
        olm.save_state(olm.build(LINEAR, optimizer_of(0.5)), path)
        assert stat.S_IMODE(path.stat().st_mode) == mode


def test_a_state_is_written_to_the_target_of_a_link(tmp_path):
    (tmp_path / "there").mkdir()
    link, target = tmp_path / "state.json", tmp_path / "there" / "state.json"
    link.symlink_to(target)
    scheduler = olm.build(LINEAR, optimizer_of(0.5))
    for _ in range(2):
        olm.save_state(scheduler, link)
        assert link.is_symlink()
        assert olm.load(target).model_dump() == scheduler.state_dict()
        trained(scheduler, 1)
    assert [*target.parent.iterdir()] == [target]


@pytest.mark.parametrize("name", ["missing/state.json", "folder"])
def test_a_state_that_cannot_be_written_raises_an_os_error(name, tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match=name):
        olm.save_state(olm.build(LINEAR, optimizer_of(0.5)), tmp_path / name)
    assert [*tmp_path.rglob("*")] == [tmp_path / "folder"]
