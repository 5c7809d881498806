"""The training of the DeepSpeed tests; as a script, in the processes that torchrun starts."""

import json
import sys
from pathlib import Path

import torch

import olm
from hosts import targets

COSINE = {"kind": "WarmupCosineScheduler", "warmup_steps": 3, "total_steps": 8, "min_lr": 1e-4}
NESTED = {
    "kind": "SequentialLR",
    "schedulers": [
        {"kind": "WarmupLR", "warmup_steps": 2},
        {
            "kind": "SequentialLR",
            "schedulers": [
                {"kind": "LinearLR", "total_steps": 3, "end_lr": 0.01},
                {"kind": "CosineAnnealingLR", "T_max": 5},
            ],
            "milestones": [3],
        },
    ],
    "milestones": [2],
}
STEPS, SAVED, BASES = 8, 4, [0.1, 0.02]
TARGETS = targets.document(STEPS)


class Run:
    """A DeepSpeed engine with a scheduler of olm, and a training loop."""

    def __init__(self, spec, zero=0, accumulate=1):
        import deepspeed

        # DeepSpeed would compile this extension first.
        deepspeed.ops.__compatible_ops__["deepspeed_shm_comm"] = False
        torch.manual_seed(0)
        first, last = torch.nn.Linear(3, 4), torch.nn.Linear(4, 1)
        self.has_targets = "also" in spec
        layers = first, last
        weights, biases = ([getattr(each, name) for each in layers] for name in ("weight", "bias"))
        optimizer = torch.optim.AdamW(
            targets.groups_of(weights, biases)
            if self.has_targets
            else [
                {"params": first.parameters(), "lr": BASES[0]},
                {"params": last.parameters(), "lr": BASES[1]},
            ]
        )
        self.scheduler = olm.build(spec, optimizer)
        self.engine, _, _, self.returned = deepspeed.initialize(
            model=torch.nn.Sequential(first, torch.nn.Tanh(), last),
            optimizer=optimizer,
            lr_scheduler=self.scheduler,
            config={
                "train_micro_batch_size_per_gpu": 2,
                "gradient_accumulation_steps": accumulate,
                "zero_optimization": {"stage": zero},
                "zero_allow_untested_optimizer": True,
                "bf16": {"enabled": zero > 0},
            },
        )
        self._seen, self.numbers, self.accumulate = [], [], accumulate
        optimizer.register_step_pre_hook(self._record)

    def _record(self, optimizer, *_):
        # ZeRO passes one param group at a time.
        self._seen += [dict(group) for group in optimizer.param_groups]
        if self.has_targets and len(self._seen) % 2 == 0:
            self.numbers.append(targets.numbers(self._seen[-2:], self.scheduler))

    @property
    def rates(self):
        """The rates of both param groups at every optimizer step."""
        seen = iter(group["lr"] for group in self._seen)
        return [list(pair) for pair in zip(seen, seen, strict=True)]

    def train(self, until=STEPS, **step):
        while self.engine.global_steps < until:
            # Every process has its own data.
            torch.manual_seed(100 + 7 * self.engine.global_steps + self.engine.global_rank)
            for _ in range(self.accumulate):
                batch = torch.randn(2, 3, dtype=next(self.engine.module.parameters()).dtype)
                loss = self.engine(batch).float().square().mean()
                if self.has_targets:
                    loss = loss * self.scheduler.values()["temp"]
                self.engine.backward(loss)
                self.engine.step(**step)
        return self

    def weights(self):
        return list(self.engine.module.state_dict().values())


def rates_of(spec, steps):
    schedule = olm.parse(spec).schedule
    return [[schedule.lr(step, base) for base in BASES] for step in range(steps)]


def resumed_and_whole(folder, spec, zero, accumulate):
    """A run resumed from the middle of an uninterrupted one, and the uninterrupted one."""
    whole = Run(spec, zero, accumulate).train(until=SAVED)
    whole.engine.save_checkpoint(str(folder), tag="half")
    whole.train()
    resumed = Run(spec, zero, accumulate)
    resumed.engine.load_checkpoint(str(folder), tag="half")
    return resumed.train(), whole


def main(folder):
    """Write the results of each process for the two ZeRO stages that run on a CPU."""
    torch.distributed.init_process_group("gloo")
    rank, lines = torch.distributed.get_rank(), []
    tasks = [(1, COSINE, 1), (2, NESTED, 2), (1, TARGETS, 1), (2, TARGETS, 2)]
    for index, (zero, spec, accumulate) in enumerate(tasks):
        resumed, whole = resumed_and_whole(folder / str(index), spec, zero, accumulate)
        lines.append(
            {
                "whole": whole.rates,
                "resumed": resumed.rates,
                "same_weights": all(map(torch.equal, resumed.weights(), whole.weights())),
                "same_state": resumed.scheduler.state_dict() == whole.scheduler.state_dict(),
                "numbers": [whole.numbers, resumed.numbers],
                "optimizer": type(resumed.engine.optimizer).__name__,
            }
        )
    (folder / f"{rank}.json").write_text(json.dumps(lines))


if __name__ == "__main__":
    from leaving import leave

    main(Path(sys.argv[1]))
    leave()
