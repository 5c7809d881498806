"""Checkpoints of trainers whose schedules are code continue with the configurations beside them."""

import json

import pytest
import torch
from transformers import Trainer

import olm
from hosts.test_mmengine import Config, Hook, Model, Runner
from hosts.test_transformers import Recorder, trainer_of

# torch has new names for collectives that DeepSpeed calls.
pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning:torch.distributed")

STOP = 5
RUNS = {
    "linear": {"num_train_epochs": 3, "max_steps": -1},
    "cosine": {"lr_scheduler_type": "cosine", "warmup_steps": 0.2},
    "polynomial": {
        "lr_scheduler_type": "polynomial",
        "lr_scheduler_kwargs": {"power": 2.0, "lr_end": 1e-4},
        "weight_decay": 0.1,
    },
    "stages": {
        "lr_scheduler_type": "warmup_stable_decay",
        "lr_scheduler_kwargs": {"num_decay_steps": 4, "min_lr_ratio": 0.1},
        "warmup_steps": 2,
    },
    "constant": {"lr_scheduler_type": "constant_with_warmup", "warmup_steps": 7},
}


@pytest.mark.parametrize("options", RUNS.values(), ids=RUNS)
def test_a_checkpoint_of_the_trainer_continues_with_the_rates_of_the_trainer(tmp_path, options):
    recorder = Recorder(None)
    trainer = trainer_of(tmp_path, Trainer, recorder=recorder, **options)
    trainer.train()
    folder = tmp_path / f"checkpoint-{STOP}"
    state = olm.adopt(folder)
    assert (state.last_epoch, state.base_lrs) == (STOP, (0.05, 0.05))
    saved = torch.load(folder / "optimizer.pt", weights_only=True)
    sizes = [len(group["params"]) for group in saved["param_groups"]]
    groups = [{"params": [torch.nn.Parameter(torch.zeros(1)) for _ in range(n)]} for n in sizes]
    scheduler = olm.build(state, torch.optim.AdamW(groups, lr=0.05))
    rates = []
    for _ in range(len(recorder.rates) - STOP):
        rates.append(scheduler.get_last_lr())
        scheduler.optimizer.step()
        scheduler.step()
    for ours, theirs in zip(rates, recorder.rates[STOP:], strict=True):
        assert ours == pytest.approx(theirs, rel=1e-12)


def test_a_configuration_of_another_run_is_an_error_that_has_both_numbers(tmp_path):
    trainer_of(tmp_path / "a", Trainer).train()
    trainer_of(tmp_path / "b", Trainer, learning_rate=0.04).train()
    folder = tmp_path / "a" / f"checkpoint-{STOP}"
    other = tmp_path / "b" / f"checkpoint-{STOP}" / "training_args.bin"
    with pytest.raises(olm.StateError, match=r"checkpoint is 0\.05, and `learning_rate` .* 0\.04"):
        olm.adopt(folder, config=other)
    with pytest.raises(olm.StateError, match=r"the rate 0\.029.* at step 5, .* has 0\.04"):
        olm.adopt(folder, total_steps=30)
    state = folder / "trainer_state.json"
    state.write_text(json.dumps({**json.loads(state.read_text()), "global_step": 6}))
    with pytest.raises(olm.StateError, match=r"last_epoch is 5, and global_step in .* is 6"):
        olm.adopt(folder)


MMENGINE = """
train_cfg = dict(by_epoch=True, max_epochs=6)
optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.02, momentum=0.9))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=10),
    dict(type='MultiStepLR', by_epoch=True, begin=0, end=6, milestones=[3, 5], gamma=0.1)]
default_hooks = dict(checkpoint=dict(type='CheckpointHook', interval=2))
"""


class Rates(Hook):
    def __init__(self):
        self.rates = []

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        self.rates.append(runner.optim_wrapper.optimizer.param_groups[0]["lr"])


@pytest.mark.parametrize("epoch", [2, 4])
def test_a_checkpoint_of_mmengine_continues_with_the_rates_of_the_runner(tmp_path, epoch):
    (tmp_path / "config.py").write_text(MMENGINE)
    config = Config.fromfile(tmp_path / "config.py")
    seen = Rates()
    runner = Runner(
        model=Model(),
        work_dir=str(tmp_path),
        train_dataloader={
            "dataset": [(torch.randn(3), torch.randn(1)) for _ in range(16)],
            "batch_size": 2,
            "num_workers": 0,
            "sampler": {"type": "DefaultSampler", "shuffle": True},
            "collate_fn": {"type": "default_collate"},
        },
        custom_hooks=[seen],
        experiment_name=f"adopted-{epoch}",
        log_level="ERROR",
        **config,
    )
    runner.train()
    state = olm.adopt(tmp_path / f"epoch_{epoch}.pth")
    assert (state.last_epoch, state.base_lrs) == (8 * epoch, (0.02,))
    ours = [state.lr(step, 0.02) for step in range(8 * epoch, len(seen.rates))]
    assert ours == pytest.approx(seen.rates[8 * epoch :], rel=1e-12)


DEEPSPEED = {
    "train_micro_batch_size_per_gpu": 2,
    "scheduler": {
        "type": "WarmupDecayLR",
        "params": {"warmup_max_lr": 0.01, "warmup_num_steps": 5, "total_num_steps": 12},
    },
}


def test_a_checkpoint_of_deepspeed_continues_with_the_rates_of_the_engine(tmp_path, alone):
    import deepspeed

    deepspeed.ops.__compatible_ops__["deepspeed_shm_comm"] = False
    model = torch.nn.Linear(3, 1)
    (tmp_path / "ds_config.json").write_text(json.dumps(DEEPSPEED))
    engine, optimizer, *_ = deepspeed.initialize(
        model=model, optimizer=torch.optim.AdamW(model.parameters(), lr=0.01), config=DEEPSPEED
    )
    rates = []
    for step in range(12):
        if step == STOP:
            engine.save_checkpoint(tmp_path)
        rates.append(optimizer.param_groups[0]["lr"])
        engine.backward(engine(torch.ones(2, 3)).sum())
        engine.step()
    state = olm.adopt(tmp_path / f"global_step{STOP}")
    assert (state.last_epoch, state.base_lrs) == (STOP, (0.01,))
    ours = [state.lr(step, 0.01) for step in range(STOP, 12)]
    assert ours == pytest.approx(rates[STOP:], rel=1e-12)
