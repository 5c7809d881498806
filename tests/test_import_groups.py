"""Param groups of other frameworks' configurations are those of the spec, or are refused."""

import json
from math import cos, pi

import pytest

import olm
from olm.cli import FINE, PROBLEMS, main

MMENGINE = """
train_cfg = dict(by_epoch=False, max_iters=100)
optim_wrapper = dict(
    optimizer=dict(type='AdamW', lr=1e-3, weight_decay=0.05),
    paramwise_cfg=dict(
        bias_decay_mult=0.0, norm_decay_mult=0.0,
        custom_keys={'backbone': dict(lr_mult=0.1), 'head': dict(lr_mult=2.0, decay_mult=0.5)}))
param_scheduler = [dict(type='CosineAnnealingLR', T_max=100, eta_min=%s, by_epoch=False)]
"""
DETECTRON2 = """
SOLVER:
  BASE_LR: 0.02
  MAX_ITER: 1000
  STEPS: (600,)
  WARMUP_ITERS: 0
  WEIGHT_DECAY_NORM: 0.0
  BIAS_LR_FACTOR: 2.0
  WEIGHT_DECAY_BIAS: 0.0
"""
AXOLOTL = """
base_model: example/tiny-1b
micro_batch_size: 1
max_steps: 100
warmup_steps: 10
learning_rate: 1e-4
weight_decay: 0.1
embedding_lr_scale: 0.5
lr_groups:
  - name: attention
    modules: [q_proj, k_proj]
    lr: 2e-5
"""
NEMO = """
trainer: {max_steps: 100}
model:
  optim_param_groups:
    encoder: {lr: 1e-4}
  optim:
    name: adamw
    lr: 1e-3
    sched: {name: CosineAnnealing, warmup_steps: 10, min_lr: 1e-5}
"""
COMPOSER = """
max_duration: 100ba
optimizer:
  name: decoupled_adamw
  lr: 1e-3
  param_groups:
    - {param_str_match: "norm", weight_decay: 0.0}
    - {param_str_match: "^head", lr: 1e-4}
scheduler: {name: cosine_with_warmup, t_warmup: 10ba, alpha_f: 0.1}
"""
TORCHVISION = (
    "torchrun train.py --lr 0.5 --lr-scheduler steplr --lr-step-size 30 --epochs 90 "
    "--norm-weight-decay 0.0 --lr-warmup-method constant\n"
)
MEGATRON = (
    "pretrain_gpt.py --lr 1e-3 --lr-decay-style cosine --train-iters 100 --decoupled-lr 1e-4\n"
)
FILES = {
    "run.py": MMENGINE % 0,
    "detectron2.yaml": DETECTRON2,
    "axolotl.yaml": AXOLOTL,
    "nemo.yaml": NEMO,
    "composer.yaml": COMPOSER,
    "torchvision.sh": TORCHVISION,
    "megatron.sh": MEGATRON,
}
GROUPS = {
    "run.py": [
        "others",
        {"name": "backbone", "lr": 1e-4},
        {"name": "head", "lr": 2e-3, "weight_decay": 0.025},
        {"name": "biases", "weight_decay": 0.0},
        {"name": "norms", "weight_decay": 0.0},
    ],
    "detectron2.yaml": [
        "others",
        {"name": "norms", "weight_decay": 0.0},
        {"name": "biases", "lr": 0.04, "weight_decay": 0.0},
    ],
    "axolotl.yaml": [
        "decay",
        {"name": "embeddings", "lr": 5e-5, "weight_decay": 0.0},
        {"name": "no_decay", "weight_decay": 0.0},
        {"name": "attention", "lr": 2e-5},
    ],
    "nemo.yaml": ["others", {"name": "encoder", "lr": 1e-4}],
    "composer.yaml": [
        "others",
        {"name": "norm", "weight_decay": 0.0},
        {"name": "^head", "lr": 1e-4},
    ],
    "torchvision.sh": ["others", {"name": "norms", "weight_decay": 0.0}],
    "megatron.sh": ["others", {"name": "decoupled", "lr": 1e-4}],
}


def imported(folder, name, text=None):
    (folder / name).write_text(text or FILES[name])
    return olm.import_config(folder / name)


@pytest.mark.parametrize("name", FILES)
def test_the_groups_of_a_file_are_the_param_groups_of_the_spec(name, tmp_path):
    made = imported(tmp_path, name)
    spec = made.spec
    assert [group.as_document() for group in spec.param_groups] == GROUPS[name]
    assert [group.name for group in made.groups] == spec.group_names
    (tmp_path / "run.olm.yaml").write_text(json.dumps(spec.model_dump()))
    assert main(["check", str(tmp_path / "run.olm.yaml")]) == FINE


@pytest.mark.parametrize("name", FILES)
def test_the_table_of_groups_has_every_group_with_its_key(name, tmp_path, capsys):
    (tmp_path / name).write_text(FILES[name])
    assert main(["import", "--groups", str(tmp_path / name)]) == FINE
    lines = capsys.readouterr().out.splitlines()[2:]
    names = [item if isinstance(item, str) else item["name"] for item in GROUPS[name]]
    assert [line.split()[0] for line in lines] == names
    assert main(["import", "--json", str(tmp_path / name)]) == FINE
    groups = json.loads(capsys.readouterr().out)["groups"]
    assert [group["name"] for group in groups] == names


@pytest.mark.parametrize("floor", [0, 1e-5])
def test_a_group_of_mmengine_has_the_cosine_of_its_own_rate(floor, tmp_path):
    spec = imported(tmp_path, "run.py", MMENGINE % floor).spec
    for base in (1e-3, 1e-4, 2e-3):
        half = (1 + cos(pi * 40 / 100)) / 2
        expected = floor + (base - floor) * half
        assert spec.lr(40, base) == pytest.approx(expected, rel=1e-12)


def test_a_group_of_nemo_decays_to_the_lowest_rate_of_all(tmp_path):
    spec = imported(tmp_path, "nemo.yaml").spec
    assert spec.lr(100, 1e-4) == spec.lr(100, 1e-3) == pytest.approx(1e-5)


REFUSED = {
    "all groups have one rate": (
        "axolotl.yaml",
        AXOLOTL + "lr_scheduler: one_cycle\n",
        "`lr_groups`|one_cycle gives all param groups one rate",
    ),
    "loraplus": ("axolotl.yaml", AXOLOTL + "loraplus_lr_ratio: 16\n", "loraplus_lr_ratio"),
    "a rule that is unknown": (
        "run.py",
        (MMENGINE % 0).replace("bias_decay_mult", "bias_mult"),
        "`bias_mult` is not known",
    ),
    "a number of a group that is not translated": (
        "nemo.yaml",
        NEMO.replace("{lr: 1e-4}", "{lr: 1e-4, momentum: 0.8}"),
        "`momentum` is not known",
    ),
    "another schedule at the rate of a group": (
        "run.py",
        (MMENGINE % 0).replace(
            "param_scheduler = [",
            "param_scheduler = [dict(type='PolyLR', eta_min=1e-4, power=1, begin=0, end=50, "
            "by_epoch=False),",
        ).replace("T_max=100, eta_min=0", "T_max=50, begin=50, eta_min=1e-6"),
        "has another schedule at its own rate",
    ),
    "a list of other things": (
        "composer.yaml",
        COMPOSER.replace("    - {param_str_match", "    - [param_str_match").replace(
            "weight_decay: 0.0}", "weight_decay]"
        ).replace("lr: 1e-4}", "lr]"),
        "param_str_match",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("name", "text", "message"), REFUSED.values(), ids=REFUSED)
def test_groups_that_are_not_exact_are_refused(name, text, message, tmp_path):
    with pytest.raises(olm.SpecError, match=message):
        imported(tmp_path, name, text)


def test_a_file_without_groups_prints_that_it_makes_none(tmp_path, capsys):
    (tmp_path / "args.yaml").write_text("lr_scheduler_type: linear\nmax_steps: 10\n")
    assert main(["import", "--groups", str(tmp_path / "args.yaml")]) == FINE
    assert "the file makes no param groups" in capsys.readouterr().out
    (tmp_path / "args.yaml").write_text("lr_scheduler_type: lineal\nmax_steps: 10\n")
    assert main(["import", "--groups", str(tmp_path / "args.yaml")]) == PROBLEMS
