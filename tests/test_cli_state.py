"""``olm state``: the checkpoints it reads, what it says of them, and the JSON it makes of them."""

import io
import json
import pickle
import re
import subprocess
import sys
import warnings

import pytest
import torch
import torch.distributed.checkpoint as dcp
import yaml
from torch.optim import SGD, lr_scheduler

import olm
from olm.cli import FINE, MISUSE, NOTHING_MATCHED, PROBLEMS, main
from olm.cli.verbs.state import EPILOG
from olm.foreign.checkpoints import Found, spec_of, states_of
from olm.train.checkpoints import load
from olm.train.hosts.dcp import SchedulerState
from training import optimizer_of, rates_of

LINEAR = {"kind": "LinearLR", "total_steps": 10}
FALL = {"gamma": 0.5, "base_lrs": [0.8], "last_epoch": 2, "_step_count": 3, "_last_lr": [0.2]}
LAMBDA = {"base_lrs": [0.8], "last_epoch": 2, "_last_lr": [0.64], "lr_lambdas": [{}]}


def run(capsys, *arguments):
    status = main(["state", *map(str, arguments)])
    said = capsys.readouterr()
    return status, said.out, said.err


def ours(steps=3):
    scheduler = olm.build(LINEAR, optimizer_of(0.5, 0.1))
    for _ in range(steps):
        scheduler.optimizer.step()
        scheduler.step()
    return scheduler


def torchs(steps=7):
    """A sequence of torch's that has taken some steps."""
    optimizer = optimizer_of(0.5, 0.1)
    parts = [
        lr_scheduler.LinearLR(optimizer, 0.25, 1.0, 4),
        lr_scheduler.MultiStepLR(optimizer, [2, 5]),
    ]
    scheduler = lr_scheduler.SequentialLR(optimizer, parts, [4])
    for _ in range(steps):
        optimizer.step()
        scheduler.step()
    return scheduler


def next_rates(scheduler):
    scheduler.optimizer.step()
    scheduler.step()
    return rates_of(scheduler.optimizer)


def saved(value, path, **arguments):
    path.parent.mkdir(exist_ok=True)
    torch.save(value, path, **arguments)
    return path


def written(text, path):
    path.write_text(text)
    return path


def distributed(value, path):
    with warnings.catch_warnings():
        # torch says that it assumes a single process, which is so.
        warnings.simplefilter("ignore")
        dcp.save(value, checkpoint_id=path)
    return path


def everything(scheduler):
    """What a training loop saves."""
    model = torch.nn.Linear(2, 2)
    return {
        "epoch": 3,
        "model": model.state_dict(),
        "optimizer": scheduler.optimizer.state_dict(),
        "lr_scheduler": scheduler.state_dict(),
    }


def lightning(scheduler):
    """What Lightning 2.6 saves, as far as schedulers go."""
    return {
        "epoch": 0,
        "global_step": 7,
        "pytorch-lightning_version": "2.6.6",
        "state_dict": torch.nn.Linear(2, 2).state_dict(),
        "loops": {"fit_loop": {"state_dict": {}, "epoch_progress": {"current": {"ready": 1}}}},
        "callbacks": {},
        "optimizer_states": [scheduler.optimizer.state_dict()],
        "lr_schedulers": [scheduler.state_dict()],
    }


CHECKPOINTS = {
    "a state of torch's": (lambda it, path: saved(it.state_dict(), path / "s.pth"), ""),
    "an old file of torch's": (
        lambda it, path: saved(
            everything(it), path / "s.bin", _use_new_zipfile_serialization=False
        ),
        "lr_scheduler",
    ),
    "a training loop's file": (lambda it, path: saved(everything(it), path / "a"), "lr_scheduler"),
    "Lightning's": (lambda it, path: saved(lightning(it), path / "a.ckpt"), "lr_schedulers[0]"),
    "a Trainer's folder": (
        lambda it, path: saved(it.state_dict(), path / "run" / "scheduler.pt").parent,
        "",
    ),
    "Accelerate's folder": (
        lambda it, path: saved(it.state_dict(), path / "run" / "scheduler.bin").parent,
        "",
    ),
    "a distributed checkpoint": (
        lambda it, path: distributed({"app": everything(it)}, path / "run"),
        "app.lr_scheduler",
    ),
    "JSON": (lambda it, path: written(json.dumps(it.state_dict()), path / "s.json"), ""),
    "JSON inside": (
        lambda it, path: written(json.dumps({"a": [{"sched": it.state_dict()}]}), path / "s.json"),
        "a[0].sched",
    ),
    "YAML": (
        lambda it, path: written(
            yaml.safe_dump(json.loads(json.dumps(it.state_dict()))), path / "s"
        ),
        "",
    ),
}


@pytest.mark.parametrize("make", [ours, torchs])
@pytest.mark.parametrize(("save", "place"), CHECKPOINTS.values(), ids=CHECKPOINTS)
def test_a_state_is_found_told_and_converted_wherever_it_is(save, place, make, tmp_path, capsys):
    scheduler = make()
    path = save(scheduler, tmp_path)
    status, out, err = run(capsys, path)
    assert (status, err) == (FINE, "")
    assert out.splitlines()[0].endswith(place)
    kind = "LinearLR" if make is ours else "SequentialLR"
    assert f"written by  {'olm' if make is ours else 'torch' + chr(39) + 's SequentialLR'}\n" in out
    assert f"step        {scheduler.last_epoch}, the last step taken\n" in out
    assert "base rates  0.5, 0.1\n" in out
    assert f"\n  {kind}: " in out
    assert out.endswith("1 state is fine\n")
    status, out, err = run(capsys, path, "--json")
    assert (status, err) == (FINE, "")
    again = olm.build(json.loads(out), optimizer_of(0.5, 0.1))
    assert next_rates(again) == pytest.approx(next_rates(scheduler), rel=1e-11)


def test_the_rates_are_those_of_now_and_of_the_next_step(tmp_path, capsys):
    path = written(json.dumps(FALL), tmp_path / "s.json")
    assert run(capsys, path) == (
        FINE,
        f"""{path}
  written by  torch's ExponentialLR
  step        2, the last step taken
  base rates  0.8
  rates now   0.2
  next rates  0.1
  ExponentialLR: the base rate, times 0.5 at every step.

1 state is fine
""",
        "",
    )


def test_equal_rates_are_told_once_and_many_are_counted():
    from olm.cli.drawing.facts import shortened

    assert shortened([0.5] * 9) == "0.5 (9 param groups)"
    assert shortened([*map(float, range(9))]).endswith("7.0, ... (9 param groups)")


@pytest.mark.parametrize("wrap", [lambda it: SchedulerState(it), lambda it: it])
def test_a_distributed_checkpoint_of_a_scheduler_is_read(wrap, tmp_path, capsys):
    scheduler = ours()
    path = distributed({"scheduler": wrap(scheduler)}, tmp_path / "run")
    status, out, _ = run(capsys, path, "--json")
    assert (status, json.loads(out)) == (FINE, scheduler.state_dict())


def test_milestones_are_no_list_in_a_distributed_checkpoint(tmp_path):
    optimizer = optimizer_of(0.5)
    parts = [lr_scheduler.MultiStepLR(optimizer, [0, 1, 1]), lr_scheduler.LinearLR(optimizer)]
    theirs = lr_scheduler.SequentialLR(optimizer, parts, [4])
    path = distributed({"sched": theirs.state_dict()}, tmp_path / "run")
    [one] = states_of(load(path))
    assert one.state["_schedulers"][0]["milestones"] == {"0": 1, "1": 2}
    assert spec_of(one).schedule.schedulers[0].milestones == (0, 1, 1)


def test_what_is_written_is_complete_and_alone_and_builds(tmp_path, capsys):
    path = saved(everything(ours()), tmp_path / "a.pt")
    folder = tmp_path / "new"
    folder.mkdir()
    assert run(capsys, path, "--out", folder / "s.json") == (FINE, "", "")
    assert olm.load(folder / "s.json").model_dump() == ours().state_dict()
    assert [file.name for file in folder.iterdir()] == ["s.json"]
    status, _, err = run(capsys, path, "--out", tmp_path / "nowhere" / "s.json")
    assert status == MISUSE
    assert "No such file" in err


def test_of_several_states_one_is_chosen(tmp_path, capsys):
    states = {"lr_schedulers": [FALL, ours().state_dict()]}
    path = saved(states, tmp_path / "a.ckpt")
    status, out, _ = run(capsys, path)
    assert status == FINE
    assert out.endswith("2 states are fine\n")
    status, out, err = run(capsys, path, "--json")
    assert (status, out) == (MISUSE, "")
    assert "choose a state with --at PLACE: lr_schedulers[0], lr_schedulers[1]" in err
    status, out, _ = run(capsys, path, "--json", "--at", "lr_schedulers[1]")
    assert (status, json.loads(out)) == (FINE, states["lr_schedulers"][1])
    status, _, err = run(capsys, path, "--at", "elsewhere")
    assert status == NOTHING_MATCHED
    assert err == f"olm state: no scheduler state in {path} at elsewhere\n"


def test_a_function_needs_a_spec_that_says_the_schedule(tmp_path, capsys):
    path = saved({"scheduler": LAMBDA}, tmp_path / "a.pt")
    status, out, _ = run(capsys, path)
    assert status == PROBLEMS
    assert "scheduler: error[state]: torch's LambdaLR does not save the schedule" in out
    assert "it stands at step 2" in out
    assert out.endswith("1 problem in 1 file\n")
    spec = written(json.dumps({**LINEAR, "total_steps": 10}), tmp_path / "l.olm.json")
    status, out, _ = run(capsys, path, "--json", "--spec", spec)
    assert status == FINE
    assert json.loads(out)["last_epoch"] == 2
    other = written(json.dumps({**LINEAR, "total_steps": 20}), tmp_path / "m.olm.json")
    status, out, err = run(capsys, path, "--json", "--spec", other)
    assert (status, out) == (PROBLEMS, "")
    assert "_last_lr: torch's LambdaLR set the rates [0.64] at step 2" in err
    wrong = written("kind: LinearLR\n", tmp_path / "w.olm.yaml")
    status, out, _ = run(capsys, path, "--spec", wrong)
    assert status == PROBLEMS
    assert "w.olm.yaml:1:7: error[missing-field]" in out


def test_a_state_of_another_schedule_than_the_spec_is_a_problem(tmp_path, capsys):
    path = written(json.dumps(ours().state_dict()), tmp_path / "s.json")
    spec = written("kind: LinearLR\ntotal_steps: 12\n", tmp_path / "l.olm.yaml")
    status, out, _ = run(capsys, path, "--spec", spec)
    assert status == PROBLEMS
    assert "total_steps: the checkpoint has 10, this scheduler 12" in out


WARMED = "kind: WarmupCosineScheduler\nwarmup_steps: {}\ntotal_steps: {}\n".format
"""A spec, most of whose steps a clock is to count."""


def resumable(tmp_path, total=1000):
    """A checkpoint whose state was counted by a clock."""
    spec = olm.loads(WARMED("10%", "100%"))
    scheduler = olm.build(spec, optimizer_of(0.5), clock=olm.Clock(total_steps=total))
    return saved({"scheduler": scheduler.state_dict()}, tmp_path / "a.pt")


def test_what_was_written_in_other_units_is_told(tmp_path, capsys):
    status, out, _ = run(capsys, resumable(tmp_path))
    assert status == FINE
    assert "\n  written as  warmup_steps: 10%, total_steps: 100%\n" in out
    path = written(json.dumps(ours().state_dict()), tmp_path / "s.json")
    assert "written as" not in run(capsys, path)[1]


@pytest.mark.parametrize(
    ("spec", "options"),
    [
        (WARMED("10%", "100%"), []),
        (WARMED("0.1dur", "1dur"), []),
        (WARMED("10%", "100%"), ["--total-steps", "1000"]),
        (WARMED("10%", "100%") + "clock: {total_steps: 1000}", []),
        (WARMED("10%", "100%") + "clock: {total_steps: 9}", ["--total-steps", "1000"]),
        (WARMED("100", "1000"), []),
        (WARMED("2ep", "1000"), ["--steps-per-epoch", "50"]),
    ],
)
def test_a_state_is_of_a_spec_with_durations(spec, options, tmp_path, capsys):
    path, spec = resumable(tmp_path), written(spec, tmp_path / "l.olm.yaml")
    status, out, err = run(capsys, path, "--spec", spec, *options)
    assert (status, err, out.splitlines()[-1]) == (FINE, "", "1 state is fine")


@pytest.mark.parametrize(
    ("spec", "options", "lines"),
    [
        (
            WARMED("10%", "100%") + "clock: {total_steps: 3000}",
            [],
            [
                "this state is of a run of another length",
                "warmup_steps: the checkpoint has 100, this scheduler 300 (10%)",
            ],
        ),
        (
            WARMED("20%", "100%"),
            ["--total-steps", "1000"],
            [
                "warmup_steps: the checkpoint has 100, this scheduler 200 "
                "(written 10% there, 20% here)"
            ],
        ),
        (
            WARMED("20%", "100%"),
            [],
            [
                "this state is of another schedule",
                "warmup_steps: the checkpoint has 10%, the spec 20%",
            ],
        ),
    ],
)
def test_a_state_of_another_run_or_of_other_durations_is_a_problem(
    spec, options, lines, tmp_path, capsys
):
    path, spec = resumable(tmp_path), written(spec, tmp_path / "l.olm.yaml")
    status, out, _ = run(capsys, path, "--spec", spec, *options)
    assert status == PROBLEMS
    for line in lines:
        assert line in out


@pytest.mark.parametrize("state", [LAMBDA, ours().state_dict()], ids=["torch's", "olm's"])
def test_a_state_without_durations_needs_a_clock_for_those_of_the_spec(state, tmp_path, capsys):
    path = saved({"scheduler": state}, tmp_path / "a.pt")
    spec = written("kind: LinearLR\ntotal_steps: 2ep\n", tmp_path / "l.olm.yaml")
    status, out, _ = run(capsys, path, "--spec", spec)
    assert status == PROBLEMS
    assert (
        "error[state]: the state has no durations, and those of the spec need a clock "
        "(total_steps: 2ep): give --steps-per-epoch\n"
    ) in out
    status, out, err = run(capsys, path, "--spec", spec, "--steps-per-epoch", "5", "--json")
    assert (status, err) == (FINE, "")
    assert json.loads(out)["total_steps"] == 10


def test_a_clock_is_for_a_spec(tmp_path, capsys):
    path = written(json.dumps(ours().state_dict()), tmp_path / "s.json")
    status, _, err = run(capsys, path, "--total-steps", "100")
    assert (status, err[:25]) == (MISUSE, "olm state: a state is in ")
    assert run(capsys, path, "--spec", path, "--total-steps", "0")[0] == MISUSE


def test_one_cycle_is_read_with_the_optimizer_beside_it(tmp_path, capsys):
    optimizer = SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    theirs = lr_scheduler.OneCycleLR(optimizer, 0.3, 20, cycle_momentum=False, div_factor=7.0)
    for _ in range(9):
        optimizer.step()
        theirs.step()
    value = {"scheduler": theirs.state_dict(), "optimizer": optimizer.state_dict()}
    status, out, _ = run(capsys, saved(value, tmp_path / "a.pt"), "--json")
    state = json.loads(out)
    assert status == FINE
    fields = {"max_lr": 0.3, "div_factor": 7.0, "final_div_factor": 1e4, "pct_start": 0.3}
    assert {name: state[name] for name in fields} == fields
    optimizer.step()
    theirs.step()
    assert [olm.parse(state).lr(10, 1.0)] == pytest.approx(rates_of(optimizer))
    status, out, _ = run(capsys, saved(value["scheduler"], tmp_path / "b.pt"))
    assert status == PROBLEMS
    assert "max_lr: torch keeps it" in out


def test_a_plateau_that_has_seen_nothing_is_read_from_pythons_json(tmp_path, capsys):
    theirs = lr_scheduler.ReduceLROnPlateau(optimizer_of(0.5))
    path = written(json.dumps(theirs.state_dict()), tmp_path / "s.json")
    assert "Infinity" in path.read_text()
    status, out, _ = run(capsys, path, "--json")
    assert status == FINE
    assert json.loads(out)["best"] is None
    status, out, _ = run(capsys, path)
    assert "next rates" not in out


WRONG = {
    "a digest of another schedule": (
        lambda path: written(
            json.dumps({**ours().state_dict(), "total_steps": 9}), path / "s.json"
        ),
        "s.json:1:",
        "error[digest]: this is not the digest of the schedule",
    ),
    "the same, deep inside": (
        lambda path: saved({"a": {**ours().state_dict(), "total_steps": 9}}, path / "s.pt"),
        "s.pt: a.digest: ",
        "error[digest]: this is not the digest of the schedule",
    ),
    "a field that is misspelt": (
        lambda path: written("kind: LinearLR\ntotal_step: 3\nlast_epoch: 1\n", path / "s.yaml"),
        "s.yaml:2:1: ",
        "error[unknown-field]: LinearLR has no field `total_step`",
    ),
    "a spec": (
        lambda path: written(json.dumps({**LINEAR, "digest": None}), path / "s.json"),
        "s.json:1:",
        "error[type]: digest must",
    ),
    "a class that nobody knows": (
        lambda path: saved({"scheduler": {"colour": 1, "last_epoch": 3}}, path / "s.pt"),
        "s.pt: scheduler: ",
        "error[state]: this is the state of a scheduler of no class that is known",
    ),
    "a scheduler instead of its state": (
        lambda path: saved({"scheduler": torchs()}, path / "s.pt"),
        "s.pt: ",
        "there is pickled code in it, `torch.optim.lr_scheduler.SequentialLR`, which is not run",
    ),
    "a torn file": (
        lambda path: _torn(saved(everything(ours()), path / "s.pt")),
        "s.pt: ",
        "error[unreadable]: this is not what torch saves, or is damaged",
    ),
    "a pickle by somebody else": (
        lambda path: _bytes(pickle.dumps(Mischief(), protocol=2), path / "s.pkl"),
        "s.pkl: ",
        "which is not run",
    ),
    "mischief in a distributed checkpoint": (
        lambda path: _bytes(pickle.dumps(Mischief()), path / ".metadata").parent,
        "",
        "pickled code in it",
    ),
    "text that is no YAML": (
        lambda path: written("{last_epoch: 3", path / "s.yaml"),
        "s.yaml:1:",
        "error[syntax]",
    ),
}


class Mischief:
    def __reduce__(self):
        return (print, ("this was run",))


def _torn(path):
    path.write_bytes(path.read_bytes()[:200])
    return path


def _bytes(data, path):
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(("make", "where", "message"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_told_with_its_place_and_no_code_is_run(
    make, where, message, tmp_path, capsys
):
    path = make(tmp_path)
    status, out, err = run(capsys, path)
    assert (status, err) == (PROBLEMS, "")
    assert where in out
    assert message in out
    assert "this was run" not in out
    assert "problem" in out.splitlines()[-1]
    status, out, err = run(capsys, path, "--json")
    assert (status, out) == (PROBLEMS, "")
    assert message in err


def test_a_spec_is_not_a_state(tmp_path, capsys):
    path = written(json.dumps(LINEAR), tmp_path / "l.olm.json")
    status, out, _ = run(capsys, path)
    assert status == NOTHING_MATCHED
    assert out == ""
    with pytest.raises(olm.StateError, match="this is a spec, not a state"):
        spec_of(Found((), LINEAR))


@pytest.mark.parametrize("value", [{}, {"model": {"weight": torch.zeros(2)}}, [1.0, 2.0], "text"])
def test_a_file_without_a_state_has_a_status_of_its_own(value, tmp_path, capsys):
    path = saved(value, tmp_path / "a.pt")
    status, out, err = run(capsys, path)
    assert (status, out) == (NOTHING_MATCHED, "")
    assert err == f"olm state: no scheduler state in {path}\n"
    assert run(capsys, path, "--json")[0] == NOTHING_MATCHED


def test_a_folder_without_a_state_and_a_file_that_is_not_there(tmp_path, capsys):
    assert run(capsys, tmp_path)[0] == NOTHING_MATCHED
    status, _, err = run(capsys, tmp_path / "none.pt")
    assert status == MISUSE
    assert "no such file or folder" in err


def test_a_leaf_outside_of_a_distributed_checkpoint_is_not_read(tmp_path):
    path = distributed({"scheduler": ours().state_dict()}, tmp_path / "run")
    outside = (tmp_path / "run" / "__0_0.distcp").rename(tmp_path / "secret")
    (tmp_path / "run" / "__0_0.distcp").symlink_to(outside)
    with pytest.raises(olm.StateError, match="outside of the folder"):
        load(path)


def test_states_deep_inside_and_in_text_are_found_and_lists_of_numbers_are_passed_by():
    value = {"a": [[FALL]], "b": json.dumps(ours().state_dict()), "c": [0.5] * 9, 3: [LAMBDA]}
    places = [one.path for one in states_of(value)]
    assert places == [("a", 0, 0), ("b",), (3, 0)]
    assert [one.path for one in states_of({"text": '{"last_epoch"'})] == []


def test_the_example_of_its_help_runs(tmp_path):
    lines = [line[2:] for line in EPILOG.splitlines() if line.startswith("  ")]
    command, wanted = lines[0].removeprefix("$ "), lines[1 : lines.index("...")]
    text = command.partition("'")[2].partition("'")[0]
    done = subprocess.run(
        [sys.executable, "-m", "olm", "state", "-"], input=text, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (FINE, "")
    assert done.stdout.splitlines()[: len(wanted)] == wanted


def test_a_state_comes_from_standard_input(monkeypatch, capsys):
    stdin = io.TextIOWrapper(io.BytesIO(json.dumps(ours().state_dict()).encode()))
    monkeypatch.setattr("sys.stdin", stdin)
    status, out, _ = run(capsys, "-", "--json")
    assert (status, json.loads(out)) == (FINE, ours().state_dict())


def test_a_state_in_json_is_read_and_written_without_torch(tmp_path):
    (tmp_path / "s.json").write_text(json.dumps({"scheduler": FALL}))
    code = "import sys; from olm.cli import main; status = main(sys.argv[1:]); "
    code += "sys.exit(status or 'torch' in sys.modules)"
    command = [sys.executable, "-c", code, "state", "s.json", "--out", "out.json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert olm.load(tmp_path / "out.json").last_epoch == FALL["last_epoch"]


def test_the_contents_of_a_distributed_checkpoint_may_name_getattr_which_is_not_called():
    """Some versions of Python save a member of an enumeration as `getattr` of its class."""
    from olm.train.checkpoints import _Metadata

    class Traced:
        def __getattr__(self, name):
            raise AssertionError("getattr was called")

    named = _Metadata(io.BytesIO(b"")).find_class("builtins", "getattr")
    assert named is not getattr
    assert named(Traced(), "format").fields == {}


TARGETS = """\
kind: LinearLR
total_steps: 10
also:
  - {set: lr, groups: head, scaled_by: {kind: HoldLR, factor: 0.5}}
  - set: weight_decay
    schedule: {kind: RampLR, total_steps: 100%, end_factor: 2.0}
  - {value: ema, schedule: {kind: RampLR, total_steps: 10, start_factor: 0.8, end_factor: 0.9}}
clock: {total_steps: 10}
"""


def with_targets(steps=3):
    """The state of a scheduler with targets, after some steps."""
    groups = [
        {"params": [torch.nn.Parameter(torch.zeros(1))], "name": name, "weight_decay": decay}
        for name, decay in (("decay", 0.25), ("no_decay", 0.0), ("head", 0.25))
    ]
    scheduler = olm.build(olm.loads(TARGETS), SGD(groups, lr=1.0))
    for _ in range(steps):
        scheduler.optimizer.step()
        scheduler.step()
    return scheduler.state_dict()


def test_a_state_with_targets_is_shown_with_every_number_of_every_group(tmp_path, capsys):
    torch.save({"model": {}, "scheduler": with_targets()}, tmp_path / "a.pt")
    status, out, _ = run(capsys, tmp_path / "a.pt")
    assert status == FINE
    lines = [line.strip() for line in out.splitlines()]
    assert lines[3:7] == [
        "groups      decay, no_decay, head",
        "base rates  1.0 (3 param groups)",
        "rates now   0.7, 0.7, 0.35",
        "next rates  0.6, 0.6, 0.3",
    ]
    assert "also  lr of head    that of the other groups × HoldLR: 0.5 at every step." in lines
    # The evaluated numbers: 0.1 and 0.3 are no floats.
    decay, following = ("0.32499999999999996, 0.0, 0.32499999999999996", "0.35, 0.0, 0.35")
    assert [re.split("  +", line) for line in lines[-5:-2]] == [
        ["target", "bases", "now", "next"],
        ["weight_decay", "0.25, 0.0, 0.25", decay, following],
        ["ema", "0.83", "0.8400000000000001"],
    ]


def test_a_state_with_targets_is_converted_as_it_is(tmp_path, capsys):
    state = with_targets()
    torch.save({"scheduler": state}, tmp_path / "a.pt")
    out = tmp_path / "state.json"
    status, printed, _ = run(capsys, tmp_path / "a.pt", "--json", "--out", out)
    assert status == FINE
    assert json.loads(printed) == json.loads(out.read_text()) == state
    assert run(capsys, out, "--json")[1] == printed


@pytest.mark.parametrize("groups", ["", "param_groups: [decay, no_decay, head]\n"])
@pytest.mark.parametrize("clock", [TARGETS, TARGETS.replace("clock", "# clock")])
def test_targets_of_a_state_are_compared_with_those_of_a_spec(groups, clock, tmp_path, capsys):
    (tmp_path / "state.json").write_text(json.dumps(with_targets()))
    spec = tmp_path / "a.olm.yaml"
    spec.write_text(clock + groups)
    assert run(capsys, tmp_path / "state.json", "--spec", spec)[0] == FINE
    spec.write_text((clock + groups).replace("2.0", "3.0").replace("value: ema", "value: temp"))
    status, out, _ = run(capsys, tmp_path / "state.json", "--spec", spec)
    assert status == PROBLEMS
    assert "  weight_decay: schedule.end_factor: the checkpoint has 2.0, " in out
    assert "  ema: only the checkpoint has it\n  temp: only th" in out
    by_groups = "the weight_decay at step 4: 0.35, 0 by the checkpoint, 0.45, 0 by this"
    assert (by_groups in out) == (clock == TARGETS)


def test_a_spec_whose_target_is_of_no_group_of_the_state_is_a_problem(tmp_path, capsys):
    (tmp_path / "state.json").write_text(json.dumps(with_targets()))
    spec = tmp_path / "a.olm.yaml"
    spec.write_text(TARGETS.replace("groups: head", "groups: heads"))
    status, out, _ = run(capsys, tmp_path / "state.json", "--spec", spec)
    assert status == PROBLEMS
    assert "error[no-group]: no param group is called `heads`; they are `decay`" in out


def test_a_state_without_targets_lacks_those_of_the_spec(tmp_path, capsys):
    (tmp_path / "state.json").write_text(json.dumps(ours().state_dict()))
    spec = tmp_path / "a.olm.yaml"
    spec.write_text(TARGETS)
    status, out, _ = run(capsys, tmp_path / "state.json", "--spec", spec)
    assert status == PROBLEMS
    assert "lr of head: only this scheduler has it" in out
    assert "weight_decay: only this scheduler has it" in out
