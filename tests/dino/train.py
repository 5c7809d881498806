"""Self-distillation as in DINOv2, on handwritten digits, under one document for all its numbers.

    train.py FOLDER [STEPS]   train from the checkpoint in the folder, for at most STEPS steps

A student learns the output of a teacher, whose weights are the moving average of the student's. The
document schedules the rate, a frozen last layer, the weight decay, the momentum of the average and
the temperature of the teacher. Each step prints all of them and the loss.
"""

import copy
import json
import sys
from pathlib import Path

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn.functional import cross_entropy, normalize, softmax

import olm
import olm.train

STEPS, EVERY = 60, 5
DOCUMENT = {
    "kind": "PhasesLR",
    "lengths": ["10%", "rest"],
    "schedulers": [
        {"kind": "RampLR", "total_steps": "10%", "start_factor": 0.0, "end_factor": 1.0},
        {"kind": "RampLR", "total_steps": "rest", "ease": "cosine", "end_lr": 1e-6},
    ],
    "also": [
        {
            "set": "lr",
            "groups": "last_layer",
            "scaled_by": {"kind": "TableLR", "milestones": [0, "1ep"], "factors": [0.0, 1.0]},
        },
        {
            "set": "weight_decay",
            "schedule": {
                "kind": "RampLR",
                "total_steps": "100%",
                "ease": "cosine",
                "end_factor": 10.0,
            },
        },
        {
            "value": "teacher_momentum",
            "schedule": {
                "kind": "RampLR",
                "total_steps": "100%",
                "ease": "cosine",
                "start_factor": 0.992,
                "end_factor": 1.0,
            },
        },
        {
            "value": "teacher_temp",
            "schedule": {
                "kind": "RampLR",
                "total_steps": "30%",
                "start_factor": 0.04,
                "end_factor": 0.07,
            },
        },
    ],
    "clock": {"total_steps": STEPS, "steps_per_epoch": 12},
}


class Vit(nn.Module):
    """A vision transformer for images of 8 by 8, with 16 patches of 2 by 2."""

    def __init__(self, width=16, outputs=32):
        super().__init__()
        self.patch_embed = nn.Linear(4, width)
        self.pos_embed = nn.Parameter(torch.zeros(16, width))
        self.blocks = nn.ModuleList(
            nn.TransformerEncoderLayer(width, 2, 32, dropout=0.0, batch_first=True, norm_first=True)
            for _ in range(2)
        )
        self.norm = nn.LayerNorm(width)
        self.last_layer = nn.Linear(width, outputs, bias=False)

    def forward(self, images):
        patches = images.unfold(1, 2, 2).unfold(2, 2, 2).reshape(len(images), 16, 4)
        tokens = self.patch_embed(patches) + self.pos_embed
        for block in self.blocks:
            tokens = block(tokens)
        return self.last_layer(normalize(self.norm(tokens).mean(1), dim=-1))


def train(folder, steps=STEPS):
    """Train for some steps and leave a checkpoint every few of them."""
    torch.manual_seed(0)
    student = Vit()
    teacher = copy.deepcopy(student).requires_grad_(False)
    groups = olm.train.param_groups(
        student,
        lr=5e-3,
        weight_decay=0.04,
        no_decay=[r"\.bias$", r"norm", r"^pos_embed$"],
        named={"last_layer": r"^last_layer\."},
    )
    optimizer = torch.optim.AdamW(groups)
    scheduler = olm.build(DOCUMENT, optimizer)
    center = torch.zeros(32)
    file = folder / "checkpoint.pt"
    if file.exists():
        saved = torch.load(file, weights_only=True)
        student.load_state_dict(saved["student"])
        teacher.load_state_dict(saved["teacher"])
        optimizer.load_state_dict(saved["optimizer"])
        scheduler.load_state_dict(saved["scheduler"])
        center = saved["center"]
    images = torch.tensor(load_digits().images, dtype=torch.float32) / 16
    for step in range(scheduler.last_epoch, min(scheduler.last_epoch + steps, STEPS)):
        chance = torch.Generator().manual_seed(step)
        batch = images[torch.randint(len(images), (64,), generator=chance)]
        views = [batch + 0.1 * torch.randn(batch.shape, generator=chance) for _ in range(2)]
        now = scheduler.values()
        with torch.no_grad():
            given = teacher(views[0])
            wanted = softmax((given - center) / now["teacher_temp"], -1)
            center = 0.9 * center + 0.1 * given.mean(0)
        loss = cross_entropy(student(views[1]) / 0.1, wanted)
        optimizer.zero_grad()
        loss.backward()
        print(step, json.dumps(scheduler.settings()), scheduler.frozen(), loss.item(), flush=True)
        optimizer.step()
        with torch.no_grad():
            for slow, fast in zip(teacher.parameters(), student.parameters(), strict=True):
                slow.lerp_(fast, 1 - now["teacher_momentum"])
        scheduler.step()
        if (step + 1) % EVERY == 0:
            states = {
                "student": student.state_dict(),
                "teacher": teacher.state_dict(),
                "optimizer": optimizer.state_dict(),
                "scheduler": scheduler.state_dict(),
                "center": center,
            }
            torch.save(states, folder / "checkpoint.tmp")
            (folder / "checkpoint.tmp").replace(file)


if __name__ == "__main__":
    torch.set_num_threads(1)
    train(Path(sys.argv[1]), *map(int, sys.argv[2:]))
