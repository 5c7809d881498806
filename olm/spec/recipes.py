"""The recipes: schedules that papers, model cards and repositories report, which come with olm."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple

ENDING = ".olm.yaml"

GROUPS = {
    "Language": """
        bert-base roberta-base electra-small transformer-base fairseq-iwslt14
        transformer-xl-wt103-base t5 gpt-3-175b gpt-j-6b gpt-neox-20b pythia-160m palm-540b
        bloom-176b mpt-7b llama-2-7b llama-2-70b llama-3-405b tinyllama-1.1b olmo-7b olmo-2-7b
        smollm3-3b deepseek-llm-7b deepseek-v2-lite deepseek-v3 kimi-k2 nanogpt-gpt2-124m
        llm.c-gpt2-124m modded-nanogpt nanochat nanochat-batch-ramp""",
    "Vision": """
        resnet-50-in-1-hour mobilenet-v2-torchvision mnasnet deit-small convnext-tiny
        vit-s16-big-vision mask-rcnn-1x mask-rcnn-3x detr-r50 yolov3 deeplab-v3 raft-chairs""",
    "Self-supervised vision": """
        moco-v1 moco-v2 simclr-resnet50 swav-resnet50 dino-vit-s16 dinov2-vit-l16 mae-vit-large
        mae-vit-base-finetuning v-jepa-vit-l16""",
    "Speech": "wav2vec2-base wav2vec2-base-100h data2vec-audio-base whisper-large tacotron",
    "Diffusion and scenes": "ddpm-cifar10 stable-diffusion-v1 nerf-blender "
    "gaussian-splatting-positions",
    "Science and games": "alphafold-2 esm-2-650m alphazero-chess ppo-atari-cleanrl",
    "Classics": "resnet-cifar10 resnet-110-cifar10 wide-resnet-cifar10 sgdr-wrn-cifar10 "
    "clr-cifar10 one-cycle-with-momentum",
    "Techniques": "megatron-weight-decay lightning-pose-unfreezing digits",
}
"""The groups of recipes, with the names of those in each."""


class Recipe(NamedTuple):
    """A spec that comes with olm."""

    name: str
    """Its name, which is that of its file."""
    group: str
    path: Path

    @property
    def text(self) -> str:
        """The text of its file."""
        return self.path.read_text(encoding="utf-8")

    @property
    def comment(self) -> list[str]:
        """The lines of the comment at its top: the title, then the source."""
        lines = self.text.splitlines()[1:]
        return [line.removeprefix("# ") for line in takewhile(lambda one: one[:1] == "#", lines)]

    @property
    def title(self) -> str:
        """What it is a schedule of."""
        return self.comment[0].removesuffix(".")


@cache
def recipes() -> dict[str, Recipe]:
    """Every recipe by its name, in groups.

    >>> recipes()["llama-2-7b"].title
    'Llama 2, 7B'
    """
    folder = _folder()
    return {
        name: Recipe(name, group, folder / f"{name}{ENDING}")
        for group, names in GROUPS.items()
        for name in names.split()
    }


def found(word: str) -> Iterator[Recipe]:
    """The recipes with a word in their name, group or text.

    >>> [one.name for one in found("bert-base")]
    ['bert-base']
    """
    if word in recipes():
        yield recipes()[word]
        return
    for recipe in recipes().values():
        if word.lower() in f"{recipe.name} {recipe.group} {recipe.text}".lower():
            yield recipe


def path_or_recipe(path: str) -> str:
    """A path, or that of the recipe of this name if there is no such file."""
    if path in recipes() and not Path(path).exists():
        return str(recipes()[path].path)
    return path


def _folder() -> Path:
    """Where the recipes are: in the package, or in a clone beside it."""
    package = Path(__file__).parents[1]
    inside = package / "recipes"
    return inside if inside.is_dir() else package.parent / "specs"
