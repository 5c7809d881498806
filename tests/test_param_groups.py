"""`olm.train.param_groups`: named groups of a model, by rules for the names of its parameters."""

import json
import logging
import re
from itertools import product
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.distributed.algorithms._checkpoint.checkpoint_wrapper import checkpoint_wrapper
from torch.optim.swa_utils import AveragedModel

import olm
from olm.train import ONE_DIMENSIONAL, param_groups

ROOT = Path(__file__).resolve().parent.parent
TIMM = json.loads((ROOT / "tests/peers/timm.json").read_text(encoding="utf-8"))["param_groups"]

LAYERS = r"^blocks\.(\d+)\."
FIRST = [r"^cls_token$", r"^pos_embed$", r"^patch_embed\."]


def model_of(shapes, frozen=()):
    """A module with parameters of the given names and shapes."""
    model = nn.Module()
    for name, shape in shapes.items():
        *path, leaf = name.split(".")
        module = model
        for part in path:
            if part not in dict(module.named_children()):
                module.add_module(part, nn.Module())
            module = module.get_submodule(part)
        module.register_parameter(leaf, nn.Parameter(torch.zeros(shape), name not in frozen))
    return model


def vit(depth=12, **others):
    """A vision transformer with the names of MAE's, and tiny shapes."""
    shapes = {"cls_token": (1, 1, 2), "pos_embed": (1, 5, 2), "patch_embed.proj.weight": (2, 3, 1)}
    for block in range(depth):
        shapes |= {f"blocks.{block}.norm1.weight": (2,), f"blocks.{block}.attn.qkv.weight": (6, 2)}
        shapes |= {f"blocks.{block}.attn.qkv.bias": (6,)}
    return model_of(
        {**shapes, "fc_norm.weight": (2,), "head.weight": (3, 2), "head.bias": (3,)}, **others
    )


def names_in(groups):
    """The names of the parameters of every group, by its name."""
    return {group["name"]: [name for name, _ in group["params"]] for group in groups}


def rates_in(groups):
    return {group["name"]: group["lr"] for group in groups}


def mae(model, **arguments):
    """MAE's groups: no decay for what has one dimension, and a factor of 0.65 for each layer."""
    rules = {"no_decay": ONE_DIMENSIONAL, "layers": LAYERS, "first": FIRST, "layer_decay": 0.65}
    return param_groups(model, **{"lr": 2e-3, "weight_decay": 0.05, **rules, **arguments})


def test_the_groups_of_mae_have_the_layers_and_the_factors_of_its_table():
    groups = mae(vit())
    rates = rates_in(groups)
    numbers = [f"layer_{number:02}/{decay}" for number in range(1, 14) for decay in ("no_wd", "wd")]
    assert sorted(rates) == ["layer_00/wd", *numbers]
    scales = {13: 1, 12: 0.65, 1: 0.005688009063, 0: 0.003697205891}
    for number, scale in scales.items():
        assert rates[f"layer_{number:02}/wd"] == pytest.approx(2e-3 * scale, rel=1e-9)
    names = names_in(groups)
    assert names["layer_00/wd"] == ["cls_token", "pos_embed", "patch_embed.proj.weight"]
    assert names["layer_12/no_wd"] == ["blocks.11.norm1.weight", "blocks.11.attn.qkv.bias"]
    assert names["layer_13/no_wd"] == ["fc_norm.weight", "head.bias"]
    decays = {group["name"].split("/")[1]: group["weight_decay"] for group in groups}
    assert decays == {"wd": 0.05, "no_wd": 0.0}


MAE_RATES = {
    0: (0, 0, 0, 0),
    3127: (9.998401279e-4, 6.498960831e-4, 5.687099709e-6, 3.696614811e-6),
    6255: (2e-3, 1.3e-3, 1.137601813e-5, 7.394411782e-6),
    62550: (1.083038056e-3, 7.039747363e-4, 6.160330277e-6, 4.00421468e-6),
    125099: (1.000000349e-6, 6.50000227e-7, 5.688011049e-9, 3.697207182e-9),
}
"""The rates of layers 13, 12, 1 and 0 in a fine-tuning of MAE's ViT-B on ImageNet."""


@pytest.mark.parametrize("step", MAE_RATES)
def test_a_schedule_of_the_groups_has_the_rates_of_mae_at_every_layer(step):
    spec = {
        "kind": "WarmupDecayLR",
        "warmup_steps": "5ep",
        "total_steps": "100ep",
        "decay": "cosine",
        "end_factor": 5e-4,
        "clock": {"total_steps": 125100, "steps_per_epoch": 1251},
    }
    scheduler = olm.build(spec, torch.optim.AdamW(mae(vit())))
    state = {**scheduler.state_dict(), "last_epoch": step}
    scheduler.load_state_dict(state)
    rates = {group["name"]: group["lr"] for group in scheduler.optimizer.param_groups}
    found = [rates[f"layer_{number:02}/wd"] for number in (13, 12, 1, 0)]
    assert found == pytest.approx(MAE_RATES[step], rel=1e-9)


@pytest.mark.parametrize("row", TIMM)
def test_the_groups_are_those_of_timm_and_have_exactly_its_rates(row):
    rules = {"no_decay": [ONE_DIMENSIONAL], **row["olm"]}
    rules["no_decay"] = [
        ONE_DIMENSIONAL if rule == "ONE_DIMENSIONAL" else rule for rule in rules["no_decay"]
    ]
    numbers = {key: row["arguments"][key] for key in ("layer_decay", "weight_decay")}
    groups = param_groups(model_of(row["shapes"], row["frozen"]), lr=2e-3, **numbers, **rules)
    assert [*names_in(groups).values()] == [group["params"] for group in row["groups"]]
    for ours, theirs in zip(groups, row["groups"], strict=True):
        assert ours["lr"] == 2e-3 * theirs["lr_scale"]
        assert ours["weight_decay"] == theirs["weight_decay"]


AXES = {
    "layers": {"layers": LAYERS, "first": FIRST},
    "parts": {"named": {"head": r"^head\."}},
    "decay": {"no_decay": [r"\.bias$", "norm"]},
}


@pytest.mark.parametrize(
    ("axes", "expected"),
    [
        ("", "all"),
        ("decay", "no_wd wd"),
        ("parts", "head rest"),
        ("layers", "layer_00 layer_01 layer_02"),
        ("parts decay", "head/no_wd head/wd rest/no_wd rest/wd"),
        ("layers parts", "head layer_00 layer_01 layer_02"),
        ("layers decay", "layer_00/wd layer_01/no_wd layer_01/wd layer_02/no_wd layer_02/wd"),
        (
            "layers parts decay",
            "head/no_wd head/wd layer_00/wd layer_01/no_wd layer_01/wd layer_02/no_wd",
        ),
    ],
)
def test_a_group_has_the_names_of_the_axes_that_have_rules(axes, expected):
    rules = {key: value for axis in axes.split() for key, value in AXES[axis].items()}
    groups = param_groups(vit(1), lr=0.1, **rules)
    assert sorted(names_in(groups)) == expected.split()


def test_a_part_inside_a_layer_has_the_layer_and_its_own_factor():
    groups = param_groups(
        vit(2),
        lr=1.0,
        layers=LAYERS,
        layer_decay=0.5,
        named={"norms": "norm", "head": [r"^head\.weight$", r"^head\.bias$"]},
        lr_factors={"norms": 10.0},
    )
    assert rates_in(groups) == {
        "layer_02": 1.0,
        "layer_00/norms": 2.5,
        "layer_00": 0.25,
        "layer_01/norms": 5.0,
        "layer_01": 0.5,
        "norms": 10.0,
        "head": 1.0,
    }


def test_layers_without_a_decay_have_the_same_rate():
    assert {*rates_in(param_groups(vit(3), lr=0.1, layers=LAYERS)).values()} == {0.1}


def test_without_a_weight_decay_the_optimizer_chooses_that_of_the_others():
    groups = torch.optim.AdamW(param_groups(vit(1), lr=0.1, no_decay="bias")).param_groups
    assert {group["name"]: group["weight_decay"] for group in groups} == {"wd": 0.01, "no_wd": 0.0}


def test_more_than_a_hundred_layers_are_numbered_with_three_digits():
    assert {*names_in(mae(vit(101)))} >= {"layer_000/wd", "layer_001/wd", "layer_101/wd"}


def test_an_optimizer_and_its_state_keep_the_names():
    optimizer = torch.optim.AdamW(mae(vit(1)))
    states = optimizer.state_dict()["param_groups"]
    assert [state["name"] for state in states] == [*names_in(mae(vit(1)))]
    assert states[0]["param_names"] == ["cls_token", "pos_embed", "patch_embed.proj.weight"]


def test_no_two_groups_share_the_tensor_of_a_rate():
    groups = mae(vit(1), lr=torch.tensor(0.5))
    assert {type(group["lr"]) for group in groups} == {torch.Tensor}
    scheduler = olm.build({"kind": "HoldLR"}, torch.optim.AdamW(groups))
    rates = {group["name"]: float(group["lr"]) for group in scheduler.optimizer.param_groups}
    assert rates["layer_02/wd"] == 0.5
    assert rates["layer_01/wd"] == pytest.approx(0.325)


def test_frozen_parameters_are_in_no_group_and_are_logged(caplog):
    model = vit(2, frozen=["blocks.0.norm1.weight", "blocks.0.attn.qkv.weight", "head.bias"])
    with caplog.at_level(logging.INFO, "olm"):
        groups = mae(model)
    names = {name for group in names_in(groups).values() for name in group}
    assert names == {name for name, each in model.named_parameters() if each.requires_grad}
    assert rates_in(groups)["layer_01/no_wd"] == 2e-3 * 0.65**2
    assert caplog.messages == [
        "3 frozen parameters in no param group, requires_grad is false: "
        "blocks.0.norm1.weight, blocks.0.attn.qkv.weight, head.bias"
    ]


def test_a_rule_for_frozen_parameters_alone_is_no_error():
    groups = param_groups(vit(1, frozen=["head.weight"]), lr=0.1, named={"head": "head.weight"})
    assert list(names_in(groups)) == ["rest"]


def test_a_shared_parameter_is_in_the_group_of_its_first_name(caplog):
    model = vit(1)
    model.get_submodule("head").weight = model.get_submodule("blocks.0.attn.qkv").weight
    with caplog.at_level(logging.INFO, "olm"):
        names = names_in(mae(model))
    assert names["layer_01/wd"] == ["blocks.0.attn.qkv.weight"]
    assert "head.weight" not in str(names)
    assert caplog.messages == [
        "head.weight is the parameter blocks.0.attn.qkv.weight: the rules for that name apply"
    ]


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.attn, self.norm = nn.Linear(4, 4), nn.LayerNorm(4)

    def forward(self, x):
        return x + self.norm(self.attn(x))


class Net(nn.Module):
    """A real model, whose wrappers can be stepped."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Linear(4, 4, bias=False)
        self.blocks = nn.ModuleList(Block() for _ in range(2))
        self.head = nn.Linear(4, 1)

    def forward(self, x):
        x = self.embed(x)
        for block in self.blocks:
            x = block(x)
        return self.head(x)


def of_net(model):
    return param_groups(
        model,
        lr=0.1,
        weight_decay=0.05,
        no_decay=ONE_DIMENSIONAL,
        layers=LAYERS,
        first=r"^embed\.",
        layer_decay=0.5,
        named={"head": r"^head\."},
    )


def compiled(model):
    return torch.compile(model, backend="eager")


def each_block(wrap):
    """A wrapper of models that wraps each of their blocks."""

    def wrapped(model):
        model.blocks = nn.ModuleList(wrap(block) for block in model.blocks)
        return model

    return wrapped


def compiled_in_place(model):
    model.compile(backend="eager")
    return model


WRAPPERS = {
    "torch.compile": compiled,
    "Module.compile": compiled_in_place,
    "torch.compile of blocks": each_block(compiled),
    "checkpoint_wrapper of blocks": each_block(checkpoint_wrapper),
    "DataParallel": nn.DataParallel,
    "torch.compile of DataParallel": lambda model: compiled(nn.DataParallel(model)),
}


# torch itself reads it when it compiles a block whose input is no leaf.
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf:UserWarning")
@pytest.mark.parametrize("wrap", WRAPPERS.values(), ids=WRAPPERS.keys())
def test_a_wrapped_model_has_the_groups_of_the_model_and_trains(wrap):
    model = wrap(Net())
    groups = of_net(model)
    assert names_in(groups) == names_in(of_net(Net()))
    rates = rates_in(groups)
    assert rates == rates_in(of_net(Net()))
    scheduler = olm.build({"kind": "LinearLR", "total_steps": 4}, torch.optim.AdamW(groups))
    before = [each.detach().clone() for each in model.parameters()]
    model(torch.ones(2, 4)).square().sum().backward()
    scheduler.optimizer.step()
    scheduler.step()
    assert scheduler.get_last_lr() == [rate * 0.75 for rate in rates.values()]
    pairs = zip(before, model.parameters(), strict=True)
    assert not any(torch.equal(old, new) for old, new in pairs)


def test_an_averaged_model_has_the_groups_of_the_model():
    for model in (Net(), compiled(Net())):
        assert names_in(of_net(AveragedModel(model))) == names_in(of_net(Net()))


def test_a_module_called_module_beside_others_is_no_wrapper():
    model = model_of({"module.weight": (2, 2), "head.weight": (2, 2)})
    names = names_in(param_groups(model, lr=0.1, named={"body": r"^module\."}))
    assert names == {"body": ["module.weight"], "rest": ["head.weight"]}


SEGMENTS = st.sampled_from(["blocks.0", "blocks.1", "blocks.10", "head", "embed", "norm", "module"])
NAMES = st.builds("{}.{}".format, SEGMENTS, st.sampled_from(["weight", "bias", "scale"]))
SHAPES = st.sampled_from([(), (2,), (2, 1), (1, 2, 1)])


@given(st.dictionaries(NAMES, SHAPES, min_size=1, max_size=9), st.sets(NAMES), st.data())
def test_every_parameter_that_is_not_frozen_is_in_exactly_one_group(shapes, frozen, data):
    model = model_of(shapes, frozen)
    expected = [each for each in model.parameters() if each.requires_grad]
    found = {
        "no_decay": [ONE_DIMENSIONAL] if any(len(shape) < 2 for shape in shapes.values()) else [],
        "layers": LAYERS if any(name.startswith("blocks") for name in shapes) else None,
        "named": {"head": "head"} if any("head" in name for name in shapes) else {},
    }
    chosen = data.draw(st.sets(st.sampled_from(sorted(found))))
    rules = {key: found[key] for key in chosen}
    if not expected:
        with pytest.raises(olm.OlmError, match="every parameter of the model is frozen"):
            param_groups(model, lr=0.1, **rules)
        return
    groups = param_groups(model, lr=0.1, **rules)
    params = [id(each) for group in groups for _, each in group["params"]]
    assert sorted(params) == sorted(map(id, expected))
    assert len(names_in(groups)) == len(groups)
    torch.optim.SGD(groups)


def test_all_orders_of_the_rules_make_the_same_groups():
    rules = [("bias", "norm"), ("norm", "bias"), ("bias|norm",)]
    heads = [{"a": "fc_norm", "head": "head"}, {"head": "head", "a": "fc_norm"}]
    made = [
        names_in(param_groups(vit(1), lr=0.1, no_decay=rule, named=named))
        for rule, named in product(rules, heads)
    ]
    assert all(one == made[0] for one in made)


REFUSED = {
    "no match": (
        {"no_decay": [r"\.biass$"]},
        r"no_decay[0]: `\.biass$` matches no parameter; the nearest are blocks.0.attn.qkv.bias",
    ),
    "no match of a number": (
        {"layers": r"^block\.(\d+)\."},
        r"layers: `^block\.(\d+)\.` matches no parameter; the nearest are blocks.0.norm1.weight, "
        "blocks.0.attn.qkv.weight",
    ),
    "two without a match": (
        {"named": {"heads": r"^heads\."}, "no_decay": "zzz"},
        "no_decay: `zzz` matches no parameter; the parameters are cls_token, pos_embed, "
        "patch_embed.proj.weight and 9 other parameters\n"
        r"named['heads']: `^heads\.` matches no parameter; the nearest are head.weight, head.bias",
    ),
    "no shape": (
        {"no_decay": ONE_DIMENSIONAL, "model": nn.Linear(2, 2, bias=False)},
        "no_decay: no parameter has at most one dimension",
    ),
    "two parts": (
        {"named": {"head": "head", "classifier": [r"^head\.", "^pos"]}},
        "named['head'] and named['classifier'][0] both match head.weight, head.bias",
    ),
    "two layers": (
        {"layers": LAYERS, "first": ["^cls", r"^blocks\.0"]},
        "first[1] and layers both match blocks.0.norm1.weight, blocks.0.attn.qkv.weight, "
        "blocks.0.attn.qkv.bias",
    ),
    "first and last": (
        {"layers": LAYERS, "first": "cls", "last": "token"},
        "first and last both match cls_token",
    ),
    "a glob": (
        {"named": {"biases": "*.bias"}},
        "named['biases']: `*.bias` is not a regular expression: nothing to repeat at position 0; "
        r"any text is `.*`, a dot `\.`",
    ),
    "no pattern": (
        {"no_decay": [3]},
        r"no_decay[0] must be a regular expression such as r'\.bias$', or a list of them, found 3",
    ),
    "nothing for a part": (
        {"named": {"head": None}},
        r"named['head'] must be a regular expression such as r'\.bias$', or a list of them, "
        "found nothing (null)",
    ),
    "no patterns for a part": ({"named": {"head": []}}, "named['head'] has no patterns"),
    "names in a list": (
        {"named": [r"^head\."]},
        "named must map names of parts, found a list",
    ),
    "a reserved name": (
        {"named": {"layer_3": "head"}},
        "named: a part must have a name of letters, digits, `_`, `-` and `.`, other than wd, "
        "no_wd, rest, all and layer_00, found the string 'layer_3'",
    ),
    "a name with a slash": (
        {"named": {"head/a": "head"}},
        "named: a part must have a name of letters, digits, `_`, `-` and `.`, other than wd, "
        "no_wd, rest, all and layer_00, found the string 'head/a'",
    ),
    "no such part": (
        {"named": {"head": "head"}, "lr_factors": {"heads": 2.0}},
        "lr_factors: there is no part heads; the parts are head (did you mean `head`?)",
    ),
    "no parts": (
        {"lr_factors": {"head": 2.0}},
        "lr_factors: there is no part head; named has no parts",
    ),
    "a negative factor": (
        {"named": {"head": "head"}, "lr_factors": {"head": -1}},
        "lr_factors['head'] must be a finite number, at least 0, found -1",
    ),
    "no capturing group": (
        {"layers": r"^blocks\.\d+"},
        r"layers: `^blocks\.\d+` has no capturing group for the number of a layer, as "
        r"`^blocks\.(\d+)\.` has",
    ),
    "no number": (
        {"layers": r"^(blocks)\.(\d+)"},
        r"layers: the capturing groups of `^(blocks)\.(\d+)` must match whole numbers, found "
        "'blocks', '0' in blocks.0.norm1.weight",
    ),
    "several patterns of layers": (
        {"layers": [LAYERS]},
        r"layers must be a regular expression such as r'^blocks\.(\d+)\.', found a list",
    ),
    "first alone": ({"first": FIRST}, "first needs layers, the rule for the others"),
    "last alone": ({"last": "norm"}, "last needs layers, the rule for the others"),
    "layer decay alone": (
        {"layer_decay": 0.5},
        "layer_decay needs layers, the rule for the numbers of layers",
    ),
    "a layer decay in per cent": (
        {"layers": LAYERS, "layer_decay": 65},
        "layer_decay must be above 0 and at most 1, found 65",
    ),
    "no layer decay": (
        {"layers": LAYERS, "layer_decay": 0.0},
        "layer_decay must be above 0 and at most 1, found 0.0",
    ),
    "a rate that is text": (
        {"lr": "1e-3"},
        "lr must be a finite number, at least 0, found the string '1e-3'",
    ),
    "a rate that is not a number": (
        {"lr": float("nan")},
        "lr must be a finite number, at least 0, found nan",
    ),
    "a negative weight decay": (
        {"weight_decay": -0.1},
        "weight_decay must be a finite number, at least 0, found -0.1",
    ),
    "a frozen model": (
        {"model": nn.Linear(2, 2).requires_grad_(False)},
        "every parameter of the model is frozen: requires_grad is false",
    ),
    "an empty model": ({"model": nn.ReLU()}, "the model has no parameters"),
    "a lazy model": (
        {"model": nn.LazyLinear(2)},
        "weight has no shape yet: run the lazy module once before",
    ),
}


@pytest.mark.parametrize(("arguments", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_an_error_names_the_rule_and_what_was_found(arguments, message):
    model = arguments.get("model") or vit(2)
    others = {key: value for key, value in arguments.items() if key != "model"}
    with pytest.raises(olm.OlmError, match=f"^{re.escape(message)}$"):
        param_groups(model, **{"lr": 0.1, **others})


def test_a_rule_for_the_second_name_of_a_shared_parameter_names_the_first():
    model = vit(1)
    model.get_submodule("head").weight = model.get_submodule("blocks.0.attn.qkv").weight
    message = (
        r"named['head']: `^head\.weight` matches no parameter: head.weight is the parameter "
        "blocks.0.attn.qkv.weight, which is known by that name"
    )
    with pytest.raises(olm.OlmError, match=f"^{re.escape(message)}$"):
        param_groups(model, lr=0.1, named={"head": r"^head\.weight"})


def test_only_a_module_has_groups():
    with pytest.raises(TypeError, match="model must be a torch Module, found list"):
        param_groups([torch.zeros(2)], lr=0.1)
