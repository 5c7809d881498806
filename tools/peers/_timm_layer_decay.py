"""timm: param groups with layer decay, of models that are made from names and shapes."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.metadata import distribution
from importlib.util import module_from_spec, spec_from_file_location
from types import ModuleType
from typing import Any

from peers import Grouped, Groups


def groups(row: Grouped) -> Groups:
    """The groups that timm makes of a model."""
    from torch import zeros
    from torch.nn import Module, Parameter

    model: Any = Module()
    for name, shape in row.shapes.items():
        *path, leaf = name.split(".")
        module = model
        for part in path:
            if part not in dict(module.named_children()):
                module.add_module(part, Module())
            module = module.get_submodule(part)
        module.register_parameter(leaf, Parameter(zeros(shape), name not in row.frozen))
    model.group_matcher = lambda coarse: row.matcher
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    made = _function()(model, **row.arguments)
    return [{**group, "params": [names[id(each)] for each in group["params"]]} for group in made]


def _function() -> Any:
    """`timm.optim.param_groups_layer_decay`, without the models, which need torchvision."""
    folder = distribution("timm").locate_file("timm")
    layers = ModuleType("timm.layers")
    vars(layers)["use_reentrant_ckpt"] = None
    models = ModuleType("timm.models")
    models.__path__ = [f"{folder}/models"]
    sys.modules |= {"timm.layers": layers, "timm.models": models}
    manipulate = import_module("timm.models._manipulate")
    vars(models)["group_parameters"] = manipulate.group_parameters
    spec = spec_from_file_location("timm_param_groups", f"{folder}/optim/_param_groups.py")
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.param_groups_layer_decay


def _linear(name: str, size: int = 2) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (size, 2), f"{name}.bias": (size,)}


def _norm(name: str) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (2,), f"{name}.bias": (2,)}


def _block(name: str) -> dict[str, tuple[int, ...]]:
    """The parameters of a block of a vision transformer."""
    return {
        **_norm(f"{name}.norm1"),
        **_linear(f"{name}.attn.qkv", 6),
        **_linear(f"{name}.attn.proj"),
        **_norm(f"{name}.norm2"),
        **_linear(f"{name}.mlp.fc1", 8),
        f"{name}.mlp.fc2.weight": (2, 8),
        f"{name}.mlp.fc2.bias": (2,),
    }


def _vit(depth: int) -> dict[str, tuple[int, ...]]:
    """A vision transformer with the names of timm's."""
    shapes = {
        "cls_token": (1, 1, 2),
        "pos_embed": (1, 5, 2),
        "patch_embed.proj.weight": (2, 3, 2, 2),
    }
    shapes["patch_embed.proj.bias"] = (2,)
    for number in range(depth):
        shapes |= _block(f"blocks.{number}")
    return {**shapes, **_norm("norm"), **_linear("head", 10)}


STEM = r"^cls_token|reg_token|pos_embed|patch_embed|norm_pre"
MATCHER = {"stem": STEM, "blocks": [[r"^blocks\.(\d+)", None], [r"^norm", [99999]]]}
"""What timm's vision transformer returns as its `group_matcher`."""

FIRST = [r"^cls_token", "pos_embed", "patch_embed"]
ONE_DIMENSIONAL = "ONE_DIMENSIONAL"  # The name stands for the rule, which is no JSON.
STAGES = {
    **_linear("stem"),
    **_linear("stages.0.blocks.0"),
    **_linear("stages.1.blocks.0"),
    **_linear("stages.1.blocks.1"),
    **_linear("head"),
}

GROUPED = (
    Grouped(
        _vit(12),
        {"layer_decay": 0.65, "weight_decay": 0.05},
        {"layers": r"^blocks\.(\d+)", "first": FIRST, "last": [r"^norm"]},
        MATCHER,
    ),
    Grouped(
        _vit(12),
        {
            "layer_decay": 0.75,
            "weight_decay": 0.05,
            "no_weight_decay_list": ["cls_token", "pos_embed"],
        },
        {
            "layers": r"^blocks\.(\d+)",
            "first": FIRST,
            "last": [r"^norm"],
            "no_decay": [ONE_DIMENSIONAL, r"^cls_token$", r"^pos_embed$"],
        },
        MATCHER,
    ),
    Grouped(
        _vit(3),
        {"layer_decay": 0.9, "weight_decay": 0.1, "weight_decay_exclude_1d": False},
        {"layers": r"^blocks\.(\d+)", "first": FIRST, "no_decay": []},
        {"stem": STEM, "blocks": r"^blocks\.(\d+)"},
    ),
    Grouped(
        _vit(4),
        {"layer_decay": 0.65, "weight_decay": 0.05},
        {"layers": r"^blocks\.(\d+)", "first": FIRST, "last": [r"^norm"]},
        MATCHER,
        frozen=("cls_token", "patch_embed.proj.weight", "blocks.0.attn.qkv.weight", "head.bias"),
    ),
    Grouped(
        {name: shape for name, shape in _vit(5).items() if not name.startswith("blocks.2.")},
        {"layer_decay": 0.65, "weight_decay": 0.0},
        {"layers": r"^blocks\.(\d+)"},
        {"blocks": r"^blocks\.(\d+)"},
    ),
    Grouped(
        STAGES,
        {"layer_decay": 0.8, "weight_decay": 0.05},
        {"layers": r"^stages\.(\d+)\.blocks\.(\d+)", "first": ["^stem"]},
        {"stem": "^stem", "blocks": r"^stages\.(\d+)\.blocks\.(\d+)"},
    ),
    Grouped(
        _block("blocks.0") | _block("blocks.10") | _block("blocks.2"),
        {"layer_decay": 0.5, "weight_decay": 0.05},
        {"layers": r"^blocks\.(\d+)"},
        {"blocks": r"^blocks\.(\d+)"},
    ),
)
