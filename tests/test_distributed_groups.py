"""Param groups of models in DDP, FSDP and torch.compile, made by two real processes."""

import json

import pytest

from ranks import torchrun

RANKS = 2
WRAPPERS = (
    "ddp",
    "compiled ddp",
    "ddp of compiled",
    "sharded",
    "sharded of compiled",
    "compiled sharded",
)
FSDP1 = ("fsdp 1", "fsdp 1 of blocks")


@pytest.fixture(scope="module")
def ranks(tmp_path_factory):
    """The reports of the ranks."""
    folder = tmp_path_factory.mktemp("groups")
    torchrun(RANKS, "groups.py", folder)
    names = [f"groups-of-{RANKS}-rank-{rank}.json" for rank in range(RANKS)]
    return [json.loads((folder / name).read_text()) for name in names]


def test_the_groups_of_the_plain_model_are_as_expected(ranks):
    assert ranks[0]["plain"] == {
        "layer_00/wd": ["embed.weight"],
        "layer_01/wd": ["blocks.0.attn.weight"],
        "layer_01/no_wd": ["blocks.0.attn.bias", "blocks.0.norm.weight", "blocks.0.norm.bias"],
        "layer_02/wd": ["blocks.1.attn.weight"],
        "layer_02/no_wd": ["blocks.1.attn.bias", "blocks.1.norm.weight", "blocks.1.norm.bias"],
        "head/wd": ["head.weight"],
        "head/no_wd": ["head.bias"],
    }


@pytest.mark.parametrize("name", WRAPPERS)
def test_a_wrapped_model_has_the_groups_of_the_plain_one_on_every_rank(ranks, name):
    for rank in ranks:
        assert rank[name]["names"] == ranks[0]["plain"]


@pytest.mark.parametrize("name", WRAPPERS)
def test_a_checkpoint_keeps_the_names_and_resumes_to_the_bit(ranks, name):
    for rank in ranks:
        run = rank[name]
        assert run["loaded"] == list(rank["plain"])
        assert run["param_names"] == ["embed.weight"]
        assert run["flat"] == "head/no_wd"
        assert run["again"] == run["whole"]
        scales = (0.125, 0.25, 0.25, 0.5, 0.5, 1, 1)
        assert run["rates"] == pytest.approx([0.1 * scale * 0.6 for scale in scales])


def test_a_shared_parameter_of_a_sharded_model_is_in_the_group_of_its_first_name(ranks):
    for rank in ranks:
        others = {name: params for name, params in rank["plain"].items() if name != "head/wd"}
        assert rank["tied"] == others


@pytest.mark.parametrize("name", FSDP1)
def test_with_the_first_fsdp_patterns_work_and_shapes_are_an_error(ranks, name):
    for rank in ranks:
        assert rank[name] == rank["plain"]
        assert rank[f"{name}, by shape"] == (
            "no_decay: FullyShardedDataParallel has made every parameter one-dimensional: "
            "use fully_shard, or patterns for the names"
        )


def test_joined_parameters_of_the_first_fsdp_are_an_error(ranks):
    for rank in ranks:
        assert rank["fsdp 1, flat"] == (
            "_flat_param: FullyShardedDataParallel has joined parameters into one, so none has a "
            "name of its own: use fully_shard, or use_orig_params=True"
        )
