"""Distributed checkpoints: real processes save with 2 ranks and load with 1, 2 and 4."""

import fcntl
import json
import os
import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
import torch.distributed.checkpoint as dcp
from torch.distributed.checkpoint.format_utils import dcp_to_torch_save

import olm
from crash.lives import assert_same
from distributed.runs import BASES, CHANGED, DECAYS, GROUPS, METRICS, REFUSED, RUNS, SAVED_AT, STEPS
from olm.checking.guides import guide
from olm.train.hosts.dcp import SchedulerState
from ranks import PROGRAMS, torchrun
from training import EXAMPLES, observed, optimizer_of, rates_of, trained, wanted

LOOP = PROGRAMS / "many_machines.py"
RANKS = (1, 2, 4)
KEYS = ("before_bare", "before_wrapped", "then_bare", "then_wrapped")
"""A scheduler, plain and wrapped, under keys that sort before and after that of the optimizer."""

LINEAR = {"kind": "LinearLR", "total_steps": 10}

alone = pytest.mark.filterwarnings("ignore:torch.distributed is disabled:UserWarning")
"""A warning of torch for a single process."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder in which all programs have run, shared by all processes of this test run."""
    base = tmp_path_factory.getbasetemp()
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder = base / "distributed"
    with (base / "distributed.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            shutil.rmtree(folder, ignore_errors=True)
            run_all(folder)
            (folder / "done").touch()
    return folder


def run_all(folder):
    """Run the programs, two at a time."""
    whole, again = folder / "whole", folder / "again"
    whole.mkdir(parents=True)
    with ThreadPoolExecutor(2) as pool:
        saving = pool.submit(torchrun, 2, "saves.py", folder)
        looping = pool.submit(torchrun, 2, LOOP.name, whole)
        (whole / "printed").write_text(looping.result())
        saving.result()
        # As if it had been killed during the second save.
        shutil.copytree(whole / "step-000004", again / "step-000004")
        shutil.copytree(whole / "step-000008", again / "step-000008")
        (again / "step-000008" / ".metadata").unlink()
        loading = [pool.submit(torchrun, 4, "loads.py", folder)]
        looping = pool.submit(torchrun, 2, LOOP.name, again)
        (again / "printed").write_text(looping.result())
        loading += [pool.submit(torchrun, ranks, "loads.py", folder) for ranks in (1, 2)]
        for load in loading:
            load.result()


@pytest.fixture(scope="module")
def saved(folder):
    """The reports of the 2 ranks that saved."""
    return reports(folder, "saves", 2)


def reports(folder, program, ranks):
    names = [f"{program}-of-{ranks}-rank-{rank}.json" for rank in range(ranks)]
    return [json.loads((folder / name).read_text()) for name in names]


def formula(document, bases=BASES):
    """The numbers of a run, computed only from the schedules and the metrics."""
    spec, rates = olm.parse(document), []
    for step, metric in enumerate(METRICS):
        rates.append([*numbers_at(spec, step, bases)])
        spec = observed(spec, metric, step + 1)
    return rates


def numbers_at(spec, step, bases):
    own = {"lr": bases}
    if spec.also:
        own |= {"weight_decay": DECAYS, "betas[0]": (0.9, 0.9)}
    for key, numbers in own.items():
        for name, base in zip(GROUPS, numbers, strict=True):
            yield spec.of(key, step, base=base, group=name)
    if spec.also:
        yield spec.value("temp", step)


@pytest.mark.parametrize("name", RUNS)
def test_an_uninterrupted_run_has_the_rates_of_the_formula_on_every_rank(saved, name):
    assert [rank[name]["rates"] for rank in saved] == [formula(RUNS[name])] * 2
    assert len(saved[0][name]["rates"]) == STEPS
    assert saved[0][name]["final"] != saved[0][name]["weights"]


def test_the_plateau_of_one_run_has_counted_metrics(saved):
    plateau = json.loads(saved[0]["fsdp"]["state"])["schedulers"][1]
    assert plateau["num_reductions"] > 0
    assert plateau["best"] is not None


@pytest.mark.parametrize("name", RUNS)
def test_states_are_the_same_bytes_on_all_ranks_for_any_hash_seed(saved, name):
    assert [rank["hash seed"] for rank in saved] == ["1", "2"]
    for key in ("state", "text"):
        assert len({rank[name][key] for rank in saved}) == 1


@pytest.mark.parametrize("ranks", RANKS)
@pytest.mark.parametrize("name", RUNS)
@pytest.mark.parametrize("key", KEYS)
def test_a_checkpoint_of_2_ranks_is_loaded_exactly_by_any_number_of_ranks(
    folder, saved, ranks, name, key
):
    was = saved[0][name]
    for rank in reports(folder, "loads", ranks):
        now = rank[name][key]
        assert now["state"] == was["state"]
        assert now["now"] == was["now"] == formula(RUNS[name])[SAVED_AT]
        assert now["weights"] == was["weights"]
        assert now["rates"] == was["rates"][SAVED_AT:]


@pytest.mark.parametrize("name", RUNS)
@pytest.mark.parametrize("key", KEYS)
def test_a_resumed_run_ends_with_the_weights_of_the_uninterrupted_one(folder, saved, name, key):
    for rank in reports(folder, "loads", 2):
        assert rank[name][key]["final"] == saved[0][name]["final"]


MISSING = "Missing key in checkpoint state_dict: "
ERRORS = {
    "another length, bare": "  total_steps: the checkpoint has 10, this scheduler 20",
    "another length, wrapped": "  total_steps: the checkpoint has 10, this scheduler 20",
    "other base rates, bare": "  base_lrs[1]: the checkpoint has 0.02, this scheduler 0.03",
    "other base rates, wrapped": "  base_lrs[1]: the checkpoint has 0.02, this scheduler 0.03",
    "fewer children, bare": "the state mixes two schedules",
    "fewer children, wrapped": "  schedulers: the checkpoint has 3 items, this scheduler 2",
    "a kind with some of the keys, bare": "StepLR needs the field `step_size`",
    "a kind with some of the keys, wrapped": "kind: the checkpoint has StepLR, this scheduler "
    "ExponentialLR",
    "another weight decay, bare": "  weight_decay: schedule.end_factor: the checkpoint has 10.0, "
    "this scheduler 5.0",
    "another weight decay, wrapped": "  weight_decay: schedule.end_factor: the checkpoint has "
    "10.0, this scheduler 5.0",
    "fewer targets, bare": "the state mixes two schedules",
    "fewer targets, wrapped": "  ema: only the checkpoint has it",
    "no targets, bare": "the state mixes two schedules",
    "no targets, wrapped": "  weight_decay: only the checkpoint has it",
    "new targets, bare": f"{MISSING}linear_bare.also",
    "new targets, wrapped": "  weight_decay: only this scheduler has it",
    "a kind with other keys, bare": f"{MISSING}linear_bare.T_max",
    "a kind with other keys, wrapped": "kind: the checkpoint has LinearLR, this scheduler "
    "CosineAnnealingLR",
}


@pytest.mark.parametrize("ranks", RANKS)
@pytest.mark.parametrize(
    "case", [f"{name}, {form}" for name in REFUSED for form in ("bare", "wrapped")]
)
def test_another_schedule_is_rejected_on_every_rank_and_changes_nothing(folder, ranks, case):
    for rank in reports(folder, "loads", ranks):
        refused = rank["refused"][case]
        assert ERRORS[case] in refused["text"]
        assert refused["error"] == (
            "CheckpointException" if MISSING in ERRORS[case] else "StateError"
        )
        assert refused["unchanged"]


@pytest.mark.parametrize("ranks", RANKS)
def test_a_wrapped_state_loads_only_wrapped_and_a_plain_one_only_plain(folder, ranks):
    for rank in reports(folder, "loads", ranks):
        for refused, key in zip(rank["another form"], ("wrapped.kind", "bare.olm"), strict=True):
            assert refused["error"] == "CheckpointException"
            assert f"{MISSING}linear_{key}" in refused["text"]
            assert refused["unchanged"]


@pytest.mark.parametrize("ranks", RANKS)
def test_if_one_rank_has_another_kind_every_rank_raises_and_none_waits(folder, ranks):
    for rank in reports(folder, "loads", ranks):
        assert rank["one odd rank"]["error"] == "CheckpointException"
        assert f"(RANK {ranks - 1})" in rank["one odd rank"]["text"]
        assert rank["one odd rank"]["unchanged"]
        assert rank["ranks in the end"] == ranks


@pytest.mark.parametrize("ranks", RANKS)
@pytest.mark.parametrize("key", ["before_wrapped", "then_wrapped"])
def test_with_checkpoint_the_saved_schedule_continues(folder, saved, ranks, key):
    for rank in reports(folder, "loads", ranks):
        chosen = rank["chosen"]["checkpoint"][key]
        assert chosen["state"] == saved[0]["ddp"]["state"]
        assert chosen["rates"] == saved[0]["ddp"]["rates"][SAVED_AT:]


@pytest.mark.parametrize("ranks", RANKS)
@pytest.mark.parametrize("key", ["before_wrapped", "then_wrapped"])
def test_with_spec_the_new_schedule_continues_in_either_order_of_loading(folder, ranks, key):
    document, bases = CHANGED
    for rank in reports(folder, "loads", ranks):
        chosen = rank["chosen"]["spec"][key]
        state = olm.loads(chosen["state"])
        assert state.last_epoch == SAVED_AT
        assert state.schedule == olm.parse(document).schedule
        assert chosen["rates"] == formula(document, bases)[SAVED_AT:]


@pytest.mark.parametrize("way", ["thread", "process"])
@pytest.mark.parametrize("key", KEYS)
def test_an_asynchronous_save_has_the_step_at_which_it_started(saved, way, key):
    was = saved[0]["fsdp"]
    for rank in saved:
        assert rank[way]["saving"]
        later = rank[way]["later"][key]
        assert later["state"] == was["state"]
        assert later["rates"] == was["rates"][SAVED_AT:]
        assert later["final"] == was["final"]


def test_the_loop_in_the_guide_resumes_to_the_bit_from_the_last_complete_checkpoint(folder):
    whole, again = ((folder / name / "printed").read_text() for name in ("whole", "again"))
    whole, again = (text.splitlines()[:-2] for text in (whole, again))
    assert len(whole) == STEPS
    assert again == whole[4:]
    cosine = olm.parse({"kind": "WarmupCosineScheduler", "warmup_steps": 3, "total_steps": STEPS})
    for step, line in enumerate(whole):
        assert line.startswith(f"step {step}: rate {cosine.lr(step, 0.01)}, ")


def test_the_loop_of_the_guide_ends_with_the_same_checkpoint(folder, tmp_path):
    states = []
    for name in ("whole", "again"):
        dcp_to_torch_save(folder / name / "step-000012", tmp_path / name)
        states.append(torch.load(tmp_path / name, weights_only=True))
    assert_same(*states)
    assert olm.loads(states[0]["scheduler"]["olm"]).last_epoch == STEPS


def test_the_guide_shows_the_loop_that_is_run_here():
    _, loop = LOOP.read_text().split('"""\n\n', 1)
    assert f"```python\n# train.py\n{loop}```\n" in guide("fsdp2").text


@alone
@pytest.mark.parametrize("wrap", [lambda scheduler: scheduler, SchedulerState])
def test_every_kind_survives_a_checkpoint(wrap, tmp_path):
    documents = [example.values[0] for example in EXAMPLES]
    olds, news = ([olm.build(each, optimizer_of(0.5)) for each in documents] for _ in range(2))
    for old in olds:
        trained(old, 5)
    dcp.save({f"{n}": wrap(old) for n, old in enumerate(olds)}, checkpoint_id=tmp_path)
    dcp.load({f"{n}": wrap(new) for n, new in enumerate(news)}, checkpoint_id=tmp_path)
    for old, new, document in zip(olds, news, documents, strict=True):
        assert new.state_dict() == old.state_dict()
        assert rates_of(new.optimizer) == rates_of(old.optimizer)
        assert trained(new, 8) == wanted(document, 8, (0.5,), start=5)


@alone
@pytest.mark.parametrize("wrap", [lambda scheduler: scheduler, SchedulerState])
def test_durations_survive_a_checkpoint_and_a_longer_run_is_recognized(wrap, tmp_path):
    spec = {"kind": "WarmupCosineScheduler", "warmup_steps": "10%", "total_steps": "1dur"}

    def built(total):
        return olm.build(spec, optimizer_of(0.5), clock=olm.Clock(total_steps=total))

    old, new, longer = built(20), built(20), built(40)
    trained(old, 5)
    dcp.save({"scheduler": wrap(old)}, checkpoint_id=tmp_path)
    dcp.load({"scheduler": wrap(new)}, checkpoint_id=tmp_path)
    assert new.state_dict() == old.state_dict()
    # Without the wrapper, the leaves of a complete state arrive: nothing is mixed.
    with pytest.raises(Exception, match="of a run of another length"):
        dcp.load({"scheduler": wrap(longer)}, checkpoint_id=tmp_path)
    assert longer.state_dict() == built(40).state_dict()


def test_a_wrapped_scheduler_is_stateful_for_torch():
    scheduler = olm.build(LINEAR, optimizer_of(0.5))
    assert isinstance(SchedulerState(scheduler), dcp.stateful.Stateful)
    assert list(SchedulerState(scheduler).state_dict()) == ["olm"]


@pytest.mark.parametrize(
    "garbage",
    [
        {},
        None,
        [],
        {"olm": None},
        {"olm": {"kind": "LinearLR"}},
        {"olm": b"{}"},
        {"olm": ""},
        {"olm": "{"},
        {"olm": "[" * 100_000},
        {"olm": "null"},
        {"olm": "[]"},
        {"olm": '{"kind": "LinearLR", "total_steps": 10}'},
        {"olm": '{"last_epoch": NaN}'},
    ],
)
def test_a_state_without_the_wrapper_is_rejected_and_changes_nothing(garbage):
    scheduler = olm.build(LINEAR, optimizer_of(0.5))
    trained(scheduler, 3)
    before = scheduler.state_dict(), rates_of(scheduler.optimizer)
    with pytest.raises(olm.StateError):
        SchedulerState(scheduler, on_change="spec").load_state_dict(garbage)
    assert (scheduler.state_dict(), rates_of(scheduler.optimizer)) == before


def test_only_a_scheduler_of_olm_is_wrapped():
    theirs = torch.optim.lr_scheduler.StepLR(optimizer_of(0.5), 3)
    with pytest.raises(TypeError, match=r"must be one that olm\.build returned, found StepLR"):
        SchedulerState(theirs)
