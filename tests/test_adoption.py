"""A checkpoint whose schedule is code continues with the configuration beside it."""

import argparse
import json
import re
from enum import Enum
from pathlib import Path
from shutil import copy

import pytest
import torch

import olm
from olm.cli import FINE, PROBLEMS, main
from olm.foreign.beside import LOOKED_FOR

TIMM = Path(__file__).parent / "imports" / "timm" / "args.yaml"
HALF = 0.14142135623730953
"""The base rate of the configuration of timm on 8 processes."""


class SchedulerType(Enum):
    """Pickled as transformers pickles its own."""

    COSINE = "cosine"


class Arguments:
    """Pickled as transformers pickles its TrainingArguments."""

    def __init__(self, **fields):
        self.__dict__.update(fields)


class Mischief:
    def __reduce__(self):
        return (print, ("this was run",))


def warmed(step, warmup=3, total=24):
    """Transformers' cosine."""
    if step < warmup:
        return step / warmup
    return 0.5 * (1 + torch.cos(torch.tensor(torch.pi * (step - warmup) / (total - warmup)))).item()


def trained(steps, lr=0.05, schedule=warmed):
    """An optimizer and its scheduler after some steps."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, schedule)
    for _ in range(steps):
        optimizer.step()
        scheduler.step()
    return optimizer, scheduler


def checkpoint(folder, steps=5, lr=0.05, **fields):
    """A folder as transformers' Trainer writes it."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.save(trained(steps)[1].state_dict(), folder / "scheduler.pt")
    state = {"global_step": steps, "max_steps": 24}
    (folder / "trainer_state.json").write_text(json.dumps(state))
    known = {"lr_scheduler_type": SchedulerType.COSINE, "warmup_steps": 3, "max_steps": -1}
    known |= {"learning_rate": lr, "_n_gpu": 1, "distributed_state": Arguments(backend="gloo")}
    torch.save(Arguments(**known, **fields), folder / "training_args.bin")
    return folder


def run(capsys, *args):
    status = main(["state", *map(str, args)])
    return (status, *capsys.readouterr())


def test_a_folder_of_the_trainer_is_adopted_with_its_arguments(tmp_path, capsys):
    folder = checkpoint(tmp_path / "checkpoint-5")
    state = olm.adopt(folder)
    assert (state.last_epoch, state.base_lrs) == (5, (0.05,))
    assert state.lr(9, 0.05) == pytest.approx(0.05 * warmed(9), rel=1e-6)
    scheduler = olm.build(state, trained(0)[0])
    assert scheduler.get_last_lr() == pytest.approx([0.05 * warmed(5)], rel=1e-6)
    status, out, err = run(capsys, folder, "--json")
    assert (status, err) == (FINE, "")
    assert json.loads(out) == state.model_dump()
    assert "with " + str(folder / "training_args.bin") in run(capsys, folder)[1]


def test_objects_in_the_arguments_are_not_built_and_nothing_is_run(tmp_path, capsys):
    folder = checkpoint(tmp_path, mischief=Mischief(), nested={"deep": [Mischief()]})
    assert run(capsys, folder, "--json")[0] == FINE
    assert main(["import", str(folder / "training_args.bin"), "--total-steps", "9"]) == FINE
    assert "this was run" not in capsys.readouterr().out


def test_a_checkpoint_of_timm_is_adopted_with_its_args_yaml(tmp_path):
    copy(TIMM, tmp_path)
    spec = olm.import_config(TIMM, steps_per_epoch=6, world_size=8).spec
    optimizer = trained(0, HALF)[0]
    optimizer.param_groups[0]["lr"] = spec.lr(23, HALF)
    saved = {"epoch": 3, "arch": "resnet50", "args": argparse.Namespace(sched="cosine")}
    file = tmp_path / "checkpoint-3.pth.tar"
    torch.save({**saved, "optimizer": optimizer.state_dict()}, file)
    state = olm.adopt(file, steps_per_epoch=6)
    assert (state.last_epoch, state.base_lrs) == (24, (HALF,))
    assert [state.lr(step, HALF) for step in range(24, 90)] == [
        spec.lr(step, HALF) for step in range(24, 90)
    ]
    with pytest.raises(olm.StateError, match="--steps-per-epoch"):
        olm.adopt(file)


def test_a_function_is_continued_with_the_configuration_in_a_folder_around(tmp_path):
    (tmp_path / "config.toml").write_text(
        "[optimizer]\nlr = 0.05\n[lr_scheduler]\nwarmup_steps = 2\n[training]\nsteps = 20\n"
    )
    spec = olm.import_config(tmp_path / "config.toml").spec
    folder = tmp_path / "outputs" / "checkpoint"
    folder.mkdir(parents=True)
    scheduler = trained(4, schedule=lambda step: spec.lr(step, 0.05) / 0.05)[1]
    torch.save({"lr_scheduler": scheduler.state_dict()}, folder / "step-4.pt")
    state = olm.adopt(folder / "step-4.pt")
    assert state.lr(7, 0.05) == spec.lr(7, 0.05)


DISAGREEING = {
    "base rate": ({"lr": 0.04}, {}, r"is 0\.05, and `learning_rate` in .* is 0\.04"),
    "length": ({}, {"max_steps": 30}, r"has the rate 0\.048.* at step 5, .* has 0\.049"),
    "step": ({}, {"global_step": 7}, r"last_epoch is 5, and global_step in .* is 7"),
}


@pytest.mark.parametrize(("arguments", "trainer", "message"), DISAGREEING.values(), ids=DISAGREEING)
def test_a_configuration_that_disagrees_is_an_error_with_both_numbers(
    arguments, trainer, message, tmp_path
):
    state = {"global_step": 5, "max_steps": 24, **trainer}
    (checkpoint(tmp_path, **arguments) / "trainer_state.json").write_text(json.dumps(state))
    with pytest.raises(olm.StateError, match=message):
        olm.adopt(tmp_path)


def test_without_a_configuration_the_error_lists_the_names_that_it_would_have(tmp_path, capsys):
    torch.save(trained(5)[1].state_dict(), tmp_path / "scheduler.pt")
    with pytest.raises(olm.StateError) as error:
        olm.adopt(tmp_path)
    assert all(name in str(error.value) for name in LOOKED_FOR)
    status, out, _ = run(capsys, tmp_path)
    assert status == PROBLEMS
    assert all(name in out for name in LOOKED_FOR)


def test_two_configurations_of_a_name_are_an_error_that_lists_both(tmp_path):
    torch.save(trained(5)[1].state_dict(), tmp_path / "scheduler.pt")
    text = "lr_scheduler_type = 'linear'\nper_device_train_batch_size = 8\n"
    for name in ("a.toml", "b.toml"):
        (tmp_path / name).write_text(text)
    with pytest.raises(olm.StateError, match=r"a\.toml and b\.toml: name one"):
        olm.adopt(tmp_path)


def test_a_refused_configuration_is_reported_with_its_place(tmp_path, capsys):
    torch.save(trained(5)[1].state_dict(), tmp_path / "scheduler.pt")
    text = "per_device_train_batch_size: 8\nlr_noise: 3\nmax_steps: 24\n"
    (tmp_path / "config.yaml").write_text(text)
    status, out, _ = run(capsys, tmp_path)
    assert status == PROBLEMS
    assert re.search(r"config\.yaml:2:1: error\[unknown-key\]: `lr_noise`", out)


@pytest.mark.parametrize("damage", ["cut", "no zip", "no object", "too large"])
def test_damaged_arguments_are_one_error(damage, tmp_path, capsys):
    file = checkpoint(tmp_path) / "training_args.bin"
    match damage:
        case "cut":
            file.write_bytes(file.read_bytes()[:300])
        case "no zip":
            file.write_bytes(b"\x80\x02K\x01.")
        case "no object":
            torch.save([1, 2], file)
        case "too large":
            file.write_bytes(bytes(2 << 20))
    assert main(["import", str(file)]) == PROBLEMS
    err = capsys.readouterr().err
    assert err.count("error[") == 1
    assert "error[size]" in err if damage == "too large" else "error[unknown-format]" in err


def test_a_named_configuration_and_a_run_length_are_for_a_state_without_a_schedule(
    tmp_path, capsys
):
    spec = {"kind": "LinearLR", "total_steps": 10, "optimizer": {"lr": 0.05}}
    state = olm.build(spec, trained(0)[0]).state_dict()
    file = tmp_path / "state.json"
    file.write_text(json.dumps(state))
    folder = checkpoint(tmp_path / "run")
    for options in (["--config", folder / "training_args.bin"], ["--total-steps", "9"]):
        status, _, err = run(capsys, file, *options)
        assert status == 2
        assert "a state is in steps already" in err
    torn = run(capsys, folder, "--config", folder / "training_args.bin", "--spec", file)
    assert "leave one of them out" in torn[2]
