"""DeepSpeed takes olm's schedulers without an adapter."""

import json
import os
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import pytest
import torch

import olm
from hosts import targets
from hosts.deepspeed_worker import (
    BASES,
    COSINE,
    NESTED,
    SAVED,
    STEPS,
    TARGETS,
    Run,
    rates_of,
    resumed_and_whole,
)

# torch has new names for collectives that DeepSpeed calls.
pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning:torch.distributed")

PLATEAU = {"kind": "ReduceLROnPlateau", "mode": "min", "factor": 0.5, "patience": 0}
WITH_PLATEAU = {
    "kind": "SequentialLR",
    "schedulers": [{"kind": "WarmupLR", "warmup_steps": 2}, PLATEAU],
    "milestones": [2],
}


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize("accumulate", [1, 3])
@pytest.mark.parametrize("spec", [COSINE, NESTED], ids=["cosine", "nested"])
def test_a_resumed_run_equals_the_uninterrupted_one_bit_for_bit(tmp_path, spec, accumulate):
    resumed, whole = resumed_and_whole(tmp_path, spec, 0, accumulate)
    assert whole.returned is whole.engine.lr_scheduler is whole.scheduler
    assert whole.rates == rates_of(spec, STEPS)
    assert resumed.rates == whole.rates[SAVED:]
    assert all(map(torch.equal, resumed.weights(), whole.weights()))
    assert resumed.scheduler.state_dict() == whole.scheduler.state_dict()
    assert resumed.scheduler.last_epoch == STEPS


def test_two_processes_that_share_the_optimizer_resume_bit_for_bit(tmp_path):
    worker = Path(__file__).with_name("deepspeed_worker.py")
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    path = os.pathsep.join([str(worker.parents[1]), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [*launch, str(worker), str(tmp_path)],
        env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    for rank in range(2):
        runs = json.loads((tmp_path / f"{rank}.json").read_text())
        for run, spec in zip(runs, (COSINE, NESTED, TARGETS, TARGETS), strict=True):
            assert run["optimizer"] == "DeepSpeedZeroOptimizer"
            if spec is TARGETS:
                whole, resumed = run["numbers"]
                assert whole == targets.formula(spec, range(STEPS))
                assert resumed == whole[SAVED:]
            else:
                assert run["whole"] == rates_of(spec, STEPS)
            assert run["resumed"] == run["whole"][SAVED:]
            assert run["same_weights"]
            assert run["same_state"]


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize("accumulate", [1, 3])
def test_a_run_with_targets_resumes_bit_for_bit(tmp_path, accumulate):
    resumed, whole = resumed_and_whole(tmp_path, TARGETS, 0, accumulate)
    assert whole.numbers == targets.formula(TARGETS, range(STEPS))
    assert resumed.numbers == whole.numbers[SAVED:]
    assert all(map(torch.equal, resumed.weights(), whole.weights()))
    assert resumed.scheduler.state_dict() == whole.scheduler.state_dict()


@pytest.mark.usefixtures("alone")
def test_resuming_with_a_changed_spec_is_an_error_without_on_change(tmp_path):
    Run(COSINE).train(until=SAVED).engine.save_checkpoint(str(tmp_path), tag="half")
    longer = COSINE | {"total_steps": 16}
    other = Run(longer)
    with pytest.raises(
        olm.StateError, match="total_steps: the checkpoint has 8, this scheduler 16"
    ):
        other.engine.load_checkpoint(str(tmp_path), tag="half")
    for side, chosen in [("spec", longer), ("checkpoint", COSINE)]:
        run = Run(longer)
        _, rest = run.engine.load_checkpoint(
            str(tmp_path), tag="half", load_lr_scheduler_states=False
        )
        run.scheduler.load_state_dict(rest["lr_scheduler"], on_change=side)
        assert run.train().rates == rates_of(chosen, STEPS)[SAVED:]


@pytest.mark.usefixtures("alone")
def test_the_state_in_the_checkpoint_is_plain_and_rebuilds_the_scheduler(tmp_path):
    Run(NESTED).train(until=SAVED).engine.save_checkpoint(str(tmp_path), tag="half")
    (file,) = (tmp_path / "half").glob("*model_states.pt")
    state = torch.load(file, weights_only=False)["lr_scheduler"]
    assert json.loads(json.dumps(state, allow_nan=False)) == state
    torch.save(state, buffer := BytesIO())
    buffer.seek(0)
    assert torch.load(buffer, weights_only=True) == state
    assert olm.parse(state).schedule == olm.parse(NESTED).schedule
    assert (state["last_epoch"], state["base_lrs"]) == (SAVED, BASES)


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize("spec", [PLATEAU, WITH_PLATEAU], ids=["alone", "in-a-sequence"])
def test_a_plateau_observes_the_metric_of_engine_step_and_resumes(tmp_path, spec):
    name = "metrics" if spec is PLATEAU else "epoch"
    losses = [3.0, 2.0, 1.0, 1.0, 1.0, 0.5, 2.0, 2.0]

    def trained(run):
        while (step := run.engine.global_steps) < STEPS:
            run.train(until=step + 1, lr_kwargs={name: losses[step]})
            if step + 1 == SAVED:
                run.engine.save_checkpoint(str(tmp_path), tag="half")
        return run

    whole, resumed = trained(Run(spec)), Run(spec)
    resumed.engine.load_checkpoint(str(tmp_path), tag="half")
    trained(resumed)
    schedule, wanted = olm.parse(spec).schedule, []
    for step, loss in enumerate(losses):
        wanted.append([schedule.lr(step, base) for base in BASES])
        schedule = schedule.observe(loss, step)
    assert whole.rates == wanted
    assert len({tuple(rates) for rates in wanted[2:]}) > 2
    assert resumed.rates == wanted[SAVED:]
    assert all(map(torch.equal, resumed.weights(), whole.weights()))
    assert resumed.scheduler.state_dict() == whole.scheduler.state_dict()


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize(
    ("spec", "arguments"),
    [
        (COSINE, {"epoch": 5}),
        # DeepSpeed answers a TypeError by passing the batch size.
        (COSINE, {"nothing_like_it": 5}),
        (PLATEAU, None),
        (PLATEAU, {"metrics": "low"}),
        (PLATEAU, {"metrics": torch.zeros(2)}),
    ],
)
def test_a_step_never_jumps_to_the_batch_size(spec, arguments):
    run = Run(spec)
    with pytest.raises(olm.OlmError):
        run.train(lr_kwargs=arguments)
    assert run.scheduler.last_epoch == 0
    assert run.rates == rates_of(spec, 1)


@pytest.mark.parametrize("spec", [COSINE, NESTED, PLATEAU, WITH_PLATEAU])
def test_a_scheduler_is_true_and_not_callable(spec):
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.1)
    scheduler = olm.build(spec, optimizer)
    # DeepSpeed ignores a scheduler that is not true, and calls one that is callable.
    assert bool(scheduler) is True
    assert not callable(scheduler)
    assert isinstance(scheduler, torch.optim.lr_scheduler.LRScheduler)
