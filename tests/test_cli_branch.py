"""``olm branch``: the spec of a branch of a run, from a state in a checkpoint of any kind."""

import json

import pytest
import torch
import yaml

import olm
from olm.cli import FINE, MISUSE, NOTHING_MATCHED, PROBLEMS, main
from training import optimizer_of, trained

RUN = {"kind": "CosineAnnealingLR", "T_max": 100, "eta_min": 1e-5}


@pytest.fixture(autouse=True)
def state(tmp_path, monkeypatch):
    """A state of a run, in the file state.json of an empty folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".git").mkdir()
    scheduler = olm.build(RUN, optimizer_of(0.5, 0.1))
    trained(scheduler, 40)
    olm.save_state(scheduler, "state.json")
    return scheduler.state_dict()


def branch(capsys, *arguments):
    status = main(["branch", *arguments])
    printed = capsys.readouterr()
    return status, printed.out, printed.err


def test_what_is_printed_is_the_branch_in_yaml_without_defaults(capsys, state):
    status, out, err = branch(capsys, "state.json", "--decay", "10%", "--total-steps", "1000")
    assert (status, err) == (FINE, "")
    assert out == (
        "# A branch at step 40 that decays from step 900 to 1,000, from state.json.\n"
        "kind: ContinueLR\n"
        "schedulers:\n"
        "- {kind: CosineAnnealingLR, T_max: 100, eta_min: 1.0e-05}\n"
        "- {kind: HoldLR}\n"
        "- {kind: RampLR, total_steps: 100}\n"
        "milestones: [40, 900]\n"
        "clock: {total_steps: 1000}\n"
        f"parent: {{digest: '{state['digest']}', step: 40}}\n"
    )
    assert olm.loads(out) == olm.branch(state, decay="10%", total_steps=1000)
    scheduler = olm.build(yaml.safe_load(out), optimizer_of(0.5, 0.1))
    scheduler.load_state_dict(state)


@pytest.mark.parametrize("name", ["branch.olm.yaml", "branch.olm.json"])
def test_a_file_is_written_whole_and_passes_the_check(capsys, state, name, tmp_path):
    options = ["state.json", "--warmup", "5", "--peak", "0.3", "--total-steps", "90"]
    options += ["--ease", "polynomial", "--power", "3", "--end-lr", "1e-4", "--out", name]
    status, out, err = branch(capsys, *options)
    assert (status, err) == (FINE, "")
    assert out == f"wrote {name}: a branch at step 40 that decays from step 45 to 90\n"
    spec = olm.load(name)
    ways = {"warmup": 5, "peak": 0.3, "end_lr": 1e-4, "ease": "polynomial", "power": 3}
    assert spec == olm.branch(state, total_steps=90, **ways)
    assert main(["check", name]) == FINE
    assert main(["state", "state.json", "--spec", name]) == FINE
    capsys.readouterr()
    status, out, err = branch(capsys, *options)
    assert (status, err) == (
        MISUSE,
        f"olm branch: {name} already exists: --force overwrites it\n",
    )
    assert branch(capsys, *options, "--force")[0] == FINE


def test_a_state_can_be_in_a_checkpoint_of_torch_and_of_another_library(capsys, state, tmp_path):
    theirs = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer_of(0.5, 0.1), 100, 1e-5)
    for _ in range(40):
        theirs.optimizer.step()
        theirs.step()
    torch.save({"ours": state, "theirs": theirs.state_dict()}, "all.pt")
    printed = []
    for place in ("ours", "theirs"):
        status, out, _ = branch(capsys, "all.pt", "--at", place, "--hold")
        assert status == FINE
        printed.append(out)
    assert printed[0] == printed[1]
    status, _, err = branch(capsys, "all.pt", "--hold")
    assert (status, err) == (MISUSE, "olm branch: choose a state with --at PLACE: ours, theirs\n")


def test_a_metric_driven_past_is_reported_in_the_file_and_on_the_terminal(capsys, caplog):
    scheduler = olm.build({"kind": "ReduceLROnPlateau"}, optimizer_of(0.5))
    for _ in range(3):
        scheduler.step(1.0)
    olm.save_state(scheduler, "plateau.json")
    status, out, _ = branch(capsys, "plateau.json", "--hold")
    assert status == FINE
    reported = "he past was driven by metrics: its rates are those of the run at step 3 only"
    assert f"# T{reported}." in out
    assert reported in caplog.text


REFUSED = {
    "--total-steps 40": (
        "--total-steps must be above the step of the state, 40, found 40: it counts from step 0 of "
        "the parent"
    ),
    "--total-steps 90 --decay 60": (
        "decay (60) is 60 steps, but from step 40 to --total-steps, 90, there are only 50"
    ),
    "--total-steps 90 --decay 2ep": (
        "decay: 2ep needs a clock with steps_per_epoch: give --steps-per-epoch N"
    ),
    "--total-steps 90 --end-lr 1 --end-factor 1": (
        "--end-lr and --end-factor both specify the end of the decay: give one of them"
    ),
    "--hold --end-lr 1": (
        "hold and --end-lr contradict each other: a rate that holds does not decay"
    ),
    "": "give --total-steps, at which a decay ends, or --hold",
}


@pytest.mark.parametrize("options", REFUSED)
def test_what_cannot_be_is_an_error_and_nothing_is_written(capsys, options, tmp_path):
    status, out, err = branch(capsys, "state.json", *options.split(), "--out", "b.olm.yaml")
    assert (status, out, err) == (PROBLEMS, "", f"olm branch: {REFUSED[options]}\n")
    assert not (tmp_path / "b.olm.yaml").exists()


def test_what_is_no_state_is_an_error(capsys, tmp_path, state):
    (tmp_path / "spec.json").write_text(json.dumps(RUN), encoding="utf-8")
    status, out, err = branch(capsys, "spec.json", "--hold")
    assert (status, out) == (NOTHING_MATCHED, "")
    assert err == "olm branch: no scheduler state in spec.json\n"
    (tmp_path / "new.json").write_text(json.dumps({**state, "last_epoch": 0}), encoding="utf-8")
    status, out, err = branch(capsys, "new.json", "--hold")
    assert (status, out) == (PROBLEMS, "")
    assert err.startswith("olm branch: the state is at step 0: no step was taken yet")
    (tmp_path / "mixed.json").write_text(json.dumps({**state, "T_max": 7}), encoding="utf-8")
    status, out, err = branch(capsys, "mixed.json", "--hold")
    assert (status, out) == (PROBLEMS, "")
    assert "this is not the digest of the schedule" in err
    assert branch(capsys, "none.json", "--hold")[0] == MISUSE


def test_diff_names_the_step_from_which_a_branch_and_its_run_part(capsys, state):
    branch(capsys, "state.json", "--total-steps", "90", "--decay", "20", "--out", "b.olm.yaml")
    assert main(["diff", "state.json", "b.olm.yaml", "--base-lr", "0.5"]) == PROBLEMS
    page = capsys.readouterr().out
    assert "b.olm.yaml is a branch of state.json, from step 40 on" in page
    assert "the curves differ from step 41 on" in page


def test_show_names_the_rate_that_each_part_continues_from(capsys, state):
    branch(capsys, "state.json", "--total-steps", "90", "--decay", "20", "--out", "b.olm.yaml")
    assert main(["show", "b.olm.yaml", "--base-lr", "0.5"]) == FINE
    lines = capsys.readouterr().out.splitlines()
    assert lines[2:4] == [
        "  from step 40 on, HoldLR: the rate reached at every step.",
        "  from step 70 on, RampLR: a straight line from the rate reached to 0 in 20 steps, which "
        "holds.",
    ]


def test_a_state_of_a_branch_prints_its_parent(capsys, state):
    branch(capsys, "state.json", "--hold", "--out", "b.olm.yaml")
    assert main(["state", "b.olm.yaml", "--at-step", "50", "--base-lr", "0.5"]) == FINE
    assert f"branch      from step 40 of {state['digest']}" in capsys.readouterr().out
