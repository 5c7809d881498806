"""`Clock.of_run` counts the optimizer steps that trainers take; exceptions are tested too."""

import pytest
import torch
from accelerate import Accelerator
from accelerate.data_loader import prepare_data_loader
from accelerate.utils import GradientAccumulationPlugin
from lightning.pytorch import LightningModule
from lightning.pytorch import Trainer as LightningTrainer
from torch.utils.data import DataLoader, DistributedSampler, TensorDataset
from transformers import Trainer, TrainingArguments

import olm

pytestmark = [
    # Lightning 2.6 with torch 2.13: the trees that it takes from torch are deprecated.
    pytest.mark.filterwarnings("ignore:`isinstance.treespec, LeafSpec.`:FutureWarning"),
    pytest.mark.filterwarnings("ignore:The 'train_dataloader' does not have many workers"),
]

ACCUMULATE = 4
BATCH = 2

SIZES = [32, 37, 39, 7]
"""Of 16, 19, 20 and 4 batches; the last batch is incomplete in all but the first."""

cases = pytest.mark.parametrize("size", SIZES)
dropping = pytest.mark.parametrize("drop_last", [False, True])


def samples(size):
    return TensorDataset(torch.randn(size, 3))


def loader(size, drop_last):
    return DataLoader(samples(size), BATCH, drop_last=drop_last)


def clock(size, **run):
    return olm.Clock.of_run(
        **{"dataset_size": size, "batch_size": BATCH, "accumulate": ACCUMULATE, **run}
    )


class Counted(torch.optim.SGD):
    """An optimizer that counts its steps."""

    def __init__(self, model):
        super().__init__(model.parameters(), lr=0.1)
        self.steps = 0
        self.register_step_post_hook(self._count)

    def _count(self, optimizer, args, kwargs):
        self.steps += 1


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.line = torch.nn.Linear(3, 1)

    def forward(self, x, labels=None):
        return {"loss": self.line(x).square().mean()}


def by_transformers(folder, size, **options):
    """The number of steps that the Trainer reports, and that the optimizer took."""
    arguments = TrainingArguments(
        output_dir=folder,
        per_device_train_batch_size=BATCH,
        gradient_accumulation_steps=ACCUMULATE,
        report_to="none",
        use_cpu=True,
        disable_tqdm=True,
        logging_strategy="no",
        save_strategy="no",
        **options,
    )
    model = Model()
    optimizer = Counted(model)
    data = [{"x": x} for (x,) in samples(size)]
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1.0)
    trainer = Trainer(
        model=model, args=arguments, train_dataset=data, optimizers=(optimizer, schedule)
    )
    trainer.train()
    assert trainer.state.global_step == optimizer.steps
    return trainer.state.max_steps, optimizer.steps


@cases
@dropping
@pytest.mark.parametrize("epochs", [1, 3, 2.5])
def test_transformers_takes_the_steps_of_the_clock(tmp_path, size, drop_last, epochs):
    options = {"num_train_epochs": epochs, "dataloader_drop_last": drop_last}
    wanted = clock(size, epochs=epochs, drop_last=drop_last).total_steps
    assert by_transformers(tmp_path, size, **options) == (wanted, wanted)


def test_transformers_takes_max_steps_whatever_the_epochs(tmp_path):
    assert by_transformers(tmp_path, 37, max_steps=7) == (7, 7)
    run = clock(37, max_steps=7)
    assert (run.total_steps, run.steps_per_epoch) == (7, 5)


class Line(LightningModule):
    def __init__(self):
        super().__init__()
        self.model = Model()

    def training_step(self, batch, index):
        return self.model(*batch)["loss"]

    def configure_optimizers(self):
        self.estimated = self.trainer.estimated_stepping_batches
        self.optimizer = Counted(self.model)
        return self.optimizer


def by_lightning(data, **options):
    """The number of steps that the Trainer estimates, and that the optimizer took."""
    module = Line()
    trainer = LightningTrainer(
        accelerator="cpu",
        accumulate_grad_batches=ACCUMULATE,
        enable_checkpointing=False,
        enable_model_summary=False,
        enable_progress_bar=False,
        logger=False,
        **options,
    )
    trainer.fit(module, data)
    assert trainer.global_step == module.optimizer.steps
    return module.estimated, module.optimizer.steps


@cases
@dropping
def test_lightning_takes_the_steps_of_the_clock(size, drop_last):
    wanted = clock(size, epochs=3, drop_last=drop_last).total_steps
    assert by_lightning(loader(size, drop_last), max_epochs=3) == (wanted, wanted)


def test_lightning_stops_at_max_steps_or_max_epochs_whichever_is_first():
    data = loader(37, False)
    assert by_lightning(data, max_epochs=-1, max_steps=7) == (7, 7)
    assert by_lightning(data, max_epochs=1, max_steps=7) == (5, 5)
    # The clock accepts only one of the two.
    with pytest.raises(ValueError, match=r"epochs \(1\) are 5 steps, but max_steps is 7"):
        clock(37, epochs=1, max_steps=7)


def by_accelerate(data, epochs, ends=True):
    """The prepared data, and the number of steps that the optimizer took.

    Args:
        data: the batches.
        epochs: how often they are seen.
        ends: whether the end of the data ends a step, which is the default of Accelerate.
    """
    plugin = GradientAccumulationPlugin(num_steps=ACCUMULATE, sync_with_dataloader=ends)
    accelerator = Accelerator(cpu=True, gradient_accumulation_plugin=plugin)
    model = Model()
    counted = Counted(model)
    model, optimizer, data = accelerator.prepare(model, counted, data)
    for _ in range(epochs):
        for (x,) in data:
            with accelerator.accumulate(model):
                accelerator.backward(model(x)["loss"])
                optimizer.step()
                optimizer.zero_grad()
    return data, counted.steps


@cases
@dropping
def test_accelerate_takes_the_steps_of_the_clock(size, drop_last):
    data, steps = by_accelerate(loader(size, drop_last), epochs=3)
    assert steps == clock(size, epochs=3, drop_last=drop_last).total_steps
    run = olm.Clock.of_run(dataloader=data, epochs=3, accumulate=ACCUMULATE)
    assert run == clock(size, epochs=3, drop_last=drop_last)


def test_accelerate_without_sync_with_dataloader_takes_fewer_steps_than_the_clock():
    _, steps = by_accelerate(loader(37, False), epochs=3, ends=False)
    # 57 batches in a row; the last one never completes a step.
    assert steps == 57 // ACCUMULATE == 14
    assert clock(37, epochs=3).total_steps == 15


def batches_of_torch(size, drop_last, processes):
    """A process's batches with torch's sampler, as Lightning makes it."""
    data = samples(size)
    sampler = DistributedSampler(data, num_replicas=processes, rank=0, shuffle=False)
    return len([*DataLoader(data, BATCH, sampler=sampler, drop_last=drop_last)])


def batches_of_accelerate(size, drop_last, processes):
    """A process's batches with Accelerate, and so with transformers: expected, counted."""
    data = prepare_data_loader(
        loader(size, drop_last), num_processes=processes, process_index=0, put_on_device=False
    )
    return len(data.batch_sampler), len([*data.batch_sampler])


PROCESSES = [(size, processes) for size in range(8, 41) for processes in (2, 3, 4)]


def test_on_several_processes_the_clock_has_the_batches_of_torchs_sampler():
    for size, processes in PROCESSES:
        for drop_last in (False, True):
            run = clock(size, accumulate=1, world_size=processes, drop_last=drop_last)
            assert run.steps_per_epoch == batches_of_torch(size, drop_last, processes)


def test_on_several_processes_the_clock_has_the_batches_of_accelerate():
    for size, processes in PROCESSES:
        wanted = clock(size, accumulate=1, world_size=processes).steps_per_epoch
        assert batches_of_accelerate(size, False, processes) == (wanted, wanted)


def test_with_drop_last_accelerate_skips_a_batch_that_the_clock_counts():
    fewer = 0
    for size, processes in PROCESSES:
        run = clock(size, accumulate=1, world_size=processes, drop_last=True)
        stated, seen = batches_of_accelerate(size, True, processes)
        assert stated == seen == size // (BATCH * processes)
        assert run.steps_per_epoch - seen in (0, 1)
        fewer += run.steps_per_epoch != seen
    assert fewer
