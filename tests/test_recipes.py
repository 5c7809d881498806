"""The recipes in specs/: their rates at a few steps, computed by hand from their sources."""

import json
import re
from math import sqrt
from pathlib import Path

import pytest

import olm
from olm.cli import main
from olm.spec.expectation import unmet
from olm.spec.own_numbers import own_numbers

SPECS = Path(__file__).parents[1] / "specs"
RECIPES = {path.name.removesuffix(".olm.yaml"): path for path in SPECS.glob("*.olm.yaml")}
TITLE = re.compile(r"# .+\.")
DINO_V2 = 5.656854249492381e-3
"""0.004 * sqrt(2048 / 1024)."""
YEAR = re.compile(r"\((?:19|20)\d\d\)")
WITHOUT_A_PAPER = {"digits", "nanogpt-gpt2-124m", "olmo-7b"}
RUNS = json.loads((Path(__file__).parent / "peers" / "megatron.json").read_text())["runs"]
RAMPS = {"bloom-176b": RUNS[0], "gpt-3-175b": RUNS[1]}
"""Whole runs of Megatron's calculator of batches and its scheduler, by the recipe of each."""

ROWS = [
    # name, step, base rate, rate
    ("alphafold-2", 499, 1e-3, 5e-4),
    ("alphafold-2", 49_999, 1e-3, 1e-3),
    ("alphafold-2", 78_124, 1e-3, 0.95e-3),
    ("alphazero-chess", 99_999, 0.2, 0.2),
    ("alphazero-chess", 100_000, 0.2, 0.02),
    ("alphazero-chess", 300_000, 0.2, 0.002),
    ("alphazero-chess", 699_999, 0.2, 0.0002),
    ("bert-base", 10_000, 1e-4, 0.99e-4),
    ("bert-base", 500_000, 1e-4, 0.5e-4),
    ("bloom-176b", 400, 6e-5, 6e-5 * 400 * 192 / 183_105),
    ("bloom-176b", 105_546, 6e-5, 6e-6),
    ("clr-cifar10", 0, 5e-3, 1e-3),
    ("clr-cifar10", 2_000, 5e-3, 5e-3),
    ("clr-cifar10", 3_000, 5e-3, 3e-3),
    ("clr-cifar10", 17_000, 5e-3, 5e-4),
    ("clr-cifar10", 22_500, 5e-3, 5e-5),
    ("clr-cifar10", 25_000, 5e-3, 1e-5),
    ("convnext-tiny", 10 * 312, 4e-3, 2e-3),
    ("convnext-tiny", 20 * 312, 4e-3, 4e-3),
    ("convnext-tiny", 160 * 312, 4e-3, (4e-3 + 1e-6) / 2),
    ("convnext-tiny", 300 * 312, 4e-3, 1e-6),
    ("data2vec-audio-base", 0, 5e-4, 5e-6),
    ("data2vec-audio-base", 12_000, 5e-4, 5e-4),
    ("data2vec-audio-base", 371_999, 5e-4, 5e-4),
    ("data2vec-audio-base", 386_000, 5e-4, 5e-5),
    ("data2vec-audio-base", 400_000, 5e-4, 5e-6),
    ("ddpm-cifar10", 2_500, 2e-4, 1e-4),
    ("ddpm-cifar10", 5_000, 2e-4, 2e-4),
    ("ddpm-cifar10", 799_999, 2e-4, 2e-4),
    ("deeplab-v3", 0, 7e-3, 7e-3),
    ("deeplab-v3", 15_000, 7e-3, 7e-3 * 0.5**0.9),
    ("deeplab-v3", 30_000, 7e-3, 1e-3),
    ("deeplab-v3", 45_000, 7e-3, 1e-3 * 0.5**0.9),
    ("deeplab-v3", 60_000, 7e-3, 0.0),
    ("deepseek-llm-7b", 1_999, 4.2e-4, 4.2e-4),
    ("deepseek-llm-7b", 169_541, 4.2e-4, 4.2e-4),
    ("deepseek-llm-7b", 169_542, 4.2e-4, 4.2e-4 * 0.316),
    ("deepseek-llm-7b", 211_927, 4.2e-4, 4.2e-5),
    ("deepseek-v2-lite", 999, 4.2e-4, 2.1e-4),
    ("deepseek-v2-lite", 241_597, 4.2e-4, 4.2e-4),
    ("deepseek-v2-lite", 241_598, 4.2e-4, 4.2e-4 * 0.316),
    ("deepseek-v2-lite", 301_996, 4.2e-4, 4.2e-4 * 0.316**2),
    ("deepseek-v3", 1_000, 2.2e-4, 1.1e-4),
    ("deepseek-v3", 2_000, 2.2e-4, 2.2e-4),
    ("deepseek-v3", 170_904, 2.2e-4, 2.2e-4),
    ("deepseek-v3", 239_252, 2.2e-4, 2.2e-5),
    ("deepseek-v3", 244_545, 2.2e-4, 7.3e-6),
    ("deit-small", 2 * 1251 - 1, 1e-3, 1e-6),
    ("deit-small", 2 * 1251, 1e-3, 1e-6 + (1e-3 - 1e-6) / 5),
    ("deit-small", 151 * 1251, 1e-3, (1e-3 + 1e-5) / 2),
    ("deit-small", 152 * 1251 - 1, 1e-3, (1e-3 + 1e-5) / 2),
    ("deit-small", 301 * 1251, 1e-3, 1e-5),
    ("detr-r50", 200 * 1848 - 1, 1e-4, 1e-4),
    ("detr-r50", 200 * 1848, 1e-4, 1e-5),
    ("detr-r50", 300 * 1848 - 1, 1e-4, 1e-5),
    ("digits", 39, 0.05, 0.05),
    ("digits", 400, 0.05, (0.05 + 5e-4) / 2),
    ("digits", 600, 0.05, 5e-4),
    ("dino-vit-s16", 10 * 2502, 1e-3, 1e-3),
    ("dino-vit-s16", 55 * 2502, 1e-3, (1e-3 + 1e-6) / 2),
    ("dino-vit-s16", 100 * 2502, 1e-3, 1e-6),
    ("dinov2-vit-l16", 0, DINO_V2, 0.0),
    ("dinov2-vit-l16", 12_499, DINO_V2, DINO_V2),
    ("dinov2-vit-l16", 68_750, DINO_V2, (DINO_V2 + 1e-6) / 2),
    ("dinov2-vit-l16", 125_000, DINO_V2, 1e-6),
    ("electra-small", 5_000, 5e-4, 5e-4 * 0.5 * 0.995),
    ("electra-small", 10_000, 5e-4, 5e-4 * 0.99),
    ("electra-small", 500_000, 5e-4, 2.5e-4),
    ("electra-small", 1_000_000, 5e-4, 0.0),
    ("esm-2-650m", 1_000, 4e-4, 2e-4),
    ("esm-2-650m", 2_000, 4e-4, 4e-4),
    ("esm-2-650m", 226_000, 4e-4, 2.2e-4),
    ("esm-2-650m", 499_999, 4e-4, 4e-5),
    ("fairseq-iwslt14", 2_000, 5e-4, 2.5e-4),
    ("fairseq-iwslt14", 4_000, 5e-4, 5e-4),
    ("fairseq-iwslt14", 16_000, 5e-4, 2.5e-4),
    ("gaussian-splatting-positions", 0, 1.6e-4, 1.6e-4),
    ("gaussian-splatting-positions", 15_000, 1.6e-4, 1.6e-5),
    ("gaussian-splatting-positions", 30_000, 1.6e-4, 1.6e-6),
    ("gpt-3-175b", 1_000, 6e-5, 6e-5 * 16_000 / 183_105),
    ("gpt-3-175b", 98_640, 6e-5, 6e-6),
    ("gpt-j-6b", 1_500, 1.2e-4, 0.6e-4),
    ("gpt-j-6b", 3_000, 1.2e-4, 1.2e-4),
    ("gpt-j-6b", 153_000, 1.2e-4, (1.2e-4 + 1.2e-5) / 2),
    ("gpt-j-6b", 349_999, 1.2e-4, 1.2e-5),
    ("gpt-neox-20b", 1_500, 0.97e-4, 0.97e-4),
    ("gpt-neox-20b", 1_500 + 75_000, 0.97e-4, 0.97e-4 / 2),
    ("gpt-neox-20b", 1_500 + 100_000, 0.97e-4, 0.97e-4 / 4),
    ("gpt-neox-20b", 120_776, 0.97e-4, 0.97e-5),
    ("gpt-neox-20b", 149_999, 0.97e-4, 0.97e-5),
    ("kimi-k2", 500, 2e-4, 2e-4),
    ("kimi-k2", 149_254, 2e-4, 2e-4),
    ("kimi-k2", 149_254 + 41_045, 2e-4, 1.1e-4),
    ("kimi-k2", 149_254 + 82_090, 2e-4, 2e-5),
    ("lightning-pose-unfreezing", 1_000, 1e-3, 1e-3),
    ("llama-2-70b", 1_999, 1.5e-4, 1.5e-4),
    ("llama-2-70b", 251_000, 1.5e-4, (1.5e-4 + 1.5e-5) / 2),
    ("llama-2-70b", 500_000, 1.5e-4, 1.5e-5),
    ("llama-2-7b", 1_999, 3e-4, 3e-4),
    ("llama-2-7b", 500_000, 3e-4, 3e-5),
    ("llama-3-405b", 4_000, 8e-5, 4e-5),
    ("llama-3-405b", 8_000, 8e-5, 8e-5),
    ("llama-3-405b", 604_000, 8e-5, (8e-5 + 8e-7) / 2),
    ("llama-3-405b", 1_200_000, 8e-5, 8e-7),
    ("llm.c-gpt2-124m", 0, 6e-4, 6e-4 / 700),
    ("llm.c-gpt2-124m", 699, 6e-4, 6e-4),
    ("llm.c-gpt2-124m", 18_865, 6e-4, 0.0),
    ("mae-vit-base-finetuning", 6_255, 2e-3, 2e-3),
    ("mae-vit-base-finetuning", 125_100, 2e-3, 1e-6),
    ("mae-vit-large", 20 * 312, 2.4e-3, 1.2e-3),
    ("mae-vit-large", 40 * 312, 2.4e-3, 2.4e-3),
    ("mae-vit-large", 420 * 312, 2.4e-3, 1.2e-3),
    ("mae-vit-large", 800 * 312, 2.4e-3, 0.0),
    ("mask-rcnn-1x", 0, 0.02, 0.02 / 1000),
    ("mask-rcnn-1x", 500, 0.02, 0.02 * 0.5005),
    ("mask-rcnn-1x", 1_000, 0.02, 0.02),
    ("mask-rcnn-1x", 60_000, 0.02, 0.002),
    ("mask-rcnn-1x", 89_999, 0.02, 0.0002),
    ("mask-rcnn-3x", 209_999, 0.02, 0.02),
    ("mask-rcnn-3x", 210_000, 0.02, 0.002),
    ("mask-rcnn-3x", 269_999, 0.02, 0.0002),
    ("megatron-weight-decay", 500, 3e-4, 1.5e-4),
    ("megatron-weight-decay", 5_500, 3e-4, (3e-4 + 3e-5) / 2),
    ("megatron-weight-decay", 10_000, 3e-4, 3e-5),
    ("mnasnet", 782, 0.256, 0.128),
    ("mnasnet", 1_564, 0.256, 0.256),
    ("mnasnet", 1_564 + 751, 0.256, 0.256 * 0.97),
    ("mnasnet", 1_564 + 10 * 751, 0.256, 0.256 * 0.97**10),
    ("mobilenet-v2-torchvision", 5_004, 0.045, 0.045),
    ("mobilenet-v2-torchvision", 5_005, 0.045, 0.045 * 0.98),
    ("mobilenet-v2-torchvision", 300 * 5_005 - 1, 0.045, 0.045 * 0.98**299),
    ("modded-nanogpt", 427, 0.023, 0.023),
    ("modded-nanogpt", 514, 0.023, 0.023 * 1.52),
    ("modded-nanogpt", 1_285, 0.023, 0.023 * 0.15),
    ("moco-v1", 120 * 5_004 - 1, 0.03, 0.03),
    ("moco-v1", 120 * 5_004, 0.03, 0.003),
    ("moco-v1", 200 * 5_004 - 1, 0.03, 0.0003),
    ("moco-v2", 5_003, 0.03, 0.03),
    ("moco-v2", 100 * 5_004, 0.03, 0.015),
    ("moco-v2", 101 * 5_004 - 1, 0.03, 0.015),
    ("mpt-7b", 50, 1.2e-4, 0.6e-4),
    ("mpt-7b", 100, 1.2e-4, 1.2e-4),
    ("mpt-7b", 32_000, 1.2e-4, (1.2e-4 + 1.2e-5) / 2),
    ("mpt-7b", 63_900, 1.2e-4, 1.2e-5),
    ("nanochat", 19, 0.02, 0.01),
    ("nanochat", 5_000, 0.02, 0.02),
    ("nanochat", 7_500, 0.02, 0.02 * 0.525),
    ("nanochat-batch-ramp", 39, 0.02, 0.01),
    ("nanochat-batch-ramp", 5_722, 0.02, 0.01),
    ("nanochat-batch-ramp", 5_723, 0.02, 0.02 * sqrt(0.5)),
    ("nanochat-batch-ramp", 12_399, 0.02, 0.02),
    ("nanochat-batch-ramp", 55_314, 0.02, 0.001),
    ("nanogpt-gpt2-124m", 1_999, 6e-4, 6e-4),
    ("nanogpt-gpt2-124m", 600_000, 6e-4, 6e-5),
    ("nerf-blender", 0, 5e-4, 5e-4),
    ("nerf-blender", 250_000, 5e-4, 5e-4 / sqrt(10)),
    ("nerf-blender", 500_000, 5e-4, 5e-5),
    ("nerf-blender", 1_000_000, 5e-4, 5e-6),
    ("olmo-2-7b", 2_000, 3e-4, 3e-4),
    ("olmo-2-7b", 928_646, 3e-4, 6.1499e-5),
    ("olmo-2-7b", 928_646 + 11_931, 3e-4, 0.0),
    ("olmo-7b", 5_000, 3e-4, 3e-4),
    ("olmo-7b", 476_837, 3e-4, 3e-5),
    ("one-cycle-with-momentum", 0, 0.1, 0.004),
    ("one-cycle-with-momentum", 299, 0.1, 0.1),
    ("one-cycle-with-momentum", 999, 0.1, 4e-7),
    ("palm-540b", 0, 1e-2, 1e-2),
    ("palm-540b", 10_000, 1e-2, 1e-2),
    ("palm-540b", 40_000, 1e-2, 0.5e-2),
    ("palm-540b", 255_000, 1e-2, 1 / sqrt(255_000)),
    ("ppo-atari-cleanrl", 0, 2.5e-4, 2.5e-4),
    ("ppo-atari-cleanrl", 15, 2.5e-4, 2.5e-4),
    ("ppo-atari-cleanrl", 16, 2.5e-4, 2.5e-4 * 9764 / 9765),
    ("ppo-atari-cleanrl", 156_239, 2.5e-4, 2.5e-4 / 9765),
    ("pythia-160m", 715, 6e-4, 3e-4),
    ("pythia-160m", 1_430, 6e-4, 6e-4),
    ("pythia-160m", 1_430 + 71_500, 6e-4, 3e-4),
    ("pythia-160m", 115_139, 6e-4, 6e-5),
    ("pythia-160m", 142_999, 6e-4, 6e-5),
    ("raft-chairs", 0, 4e-4, 4e-4 / 25),
    ("raft-chairs", 5_004, 4e-4, 4e-4),
    ("raft-chairs", 100_099, 4e-4, 4e-4 / 25 / 1e4),
    ("resnet-110-cifar10", 399, 0.1, 0.01),
    ("resnet-110-cifar10", 400, 0.1, 0.1),
    ("resnet-110-cifar10", 32_000, 0.1, 0.01),
    ("resnet-110-cifar10", 63_999, 0.1, 0.001),
    ("resnet-50-in-1-hour", 0, 3.2, 0.1),
    ("resnet-50-in-1-hour", 391, 3.2, 1.65),
    ("resnet-50-in-1-hour", 782, 3.2, 3.2),
    ("resnet-50-in-1-hour", 4_692, 3.2, 0.32),
    ("resnet-50-in-1-hour", 14_074, 3.2, 0.0032),
    ("resnet-cifar10", 31_999, 0.1, 0.1),
    ("resnet-cifar10", 32_000, 0.1, 0.01),
    ("resnet-cifar10", 63_999, 0.1, 0.001),
    ("roberta-base", 12_000, 6e-4, 3e-4),
    ("roberta-base", 24_000, 6e-4, 6e-4),
    ("roberta-base", 262_000, 6e-4, 3e-4),
    ("roberta-base", 500_000, 6e-4, 0.0),
    ("sgdr-wrn-cifar10", 0, 0.05, 0.05),
    ("sgdr-wrn-cifar10", 5 * 391, 0.05, 0.025),
    ("sgdr-wrn-cifar10", 10 * 391, 0.05, 0.05),
    ("sgdr-wrn-cifar10", 20 * 391, 0.05, 0.025),
    ("sgdr-wrn-cifar10", 150 * 391, 0.05, 0.05),
    ("simclr-resnet50", 3_127, 4.8, 4.8),
    ("simclr-resnet50", 3_127 + 14_076, 4.8, 2.4),
    ("simclr-resnet50", 31_279, 4.8, 0.0),
    ("smollm3-3b", 1_000, 2e-4, 1e-4),
    ("smollm3-3b", 4_271_186, 2e-4, 2e-4),
    ("smollm3-3b", 4_271_186 + 237_288, 2e-4, 2e-4 * 237_289 / 474_577),
    ("smollm3-3b", 4_745_763, 2e-4, 0.0),
    ("stable-diffusion-v1", 4_999, 1e-4, 0.5e-4),
    ("stable-diffusion-v1", 9_999, 1e-4, 1e-4),
    ("stable-diffusion-v1", 500_000, 1e-4, 1e-4),
    ("swav-resnet50", 0, 4.8, 0.3),
    ("swav-resnet50", 10 * 312, 4.8, 4.8),
    ("swav-resnet50", 405 * 312, 4.8, (4.8 + 0.0048) / 2),
    ("swav-resnet50", 800 * 312, 4.8, 0.0048),
    ("t5", 0, 1e-2, 1e-2),
    ("t5", 10_000, 1e-2, 1e-2),
    ("t5", 40_000, 1e-2, 0.5e-2),
    ("t5", 524_288, 1e-2, 1 / sqrt(524_288)),
    ("tacotron", 499_999, 1e-3, 1e-3),
    ("tacotron", 500_000, 1e-3, 5e-4),
    ("tacotron", 1_000_000, 1e-3, 3e-4),
    ("tacotron", 2_000_000, 1e-3, 1e-4),
    ("tinyllama-1.1b", 1_000, 4e-4, 2e-4),
    ("tinyllama-1.1b", 2_000, 4e-4, 4e-4),
    ("tinyllama-1.1b", 716_256, 4e-4, (4e-4 + 4e-5) / 2),
    ("tinyllama-1.1b", 1_430_512, 4e-4, 4e-5),
    ("transformer-base", 0, 1.0, 1 / sqrt(512) / 4000**1.5),
    ("transformer-base", 3_999, 1.0, 1 / sqrt(512 * 4000)),
    ("transformer-base", 99_999, 1.0, 1 / sqrt(512 * 100_000)),
    ("transformer-xl-wt103-base", 0, 2.5e-4, 2.5e-4),
    ("transformer-xl-wt103-base", 100_000, 2.5e-4, 1.25e-4),
    ("transformer-xl-wt103-base", 200_000, 2.5e-4, 0.0),
    ("v-jepa-vit-l16", 11_999, 6.25e-4, 6.25e-4),
    ("v-jepa-vit-l16", 62_249, 6.25e-4, (6.25e-4 + 1e-6) / 2),
    ("vit-s16-big-vision", 5_000, 1e-3, 5e-4),
    ("vit-s16-big-vision", 10_000, 1e-3, 1e-3),
    ("vit-s16-big-vision", 60_738, 1e-3, 5e-4),
    ("vit-s16-big-vision", 111_476, 1e-3, 0.0),
    ("wav2vec2-base", 16_000, 5e-4, 2.5e-4),
    ("wav2vec2-base", 32_000, 5e-4, 5e-4),
    ("wav2vec2-base", 216_000, 5e-4, 2.5e-4),
    ("wav2vec2-base", 400_000, 5e-4, 0.0),
    ("wav2vec2-base-100h", 0, 3e-5, 3e-7),
    ("wav2vec2-base-100h", 8_000, 3e-5, 3e-5),
    ("wav2vec2-base-100h", 39_999, 3e-5, 3e-5),
    ("wav2vec2-base-100h", 60_000, 3e-5, 3e-5 * sqrt(0.05)),
    ("wav2vec2-base-100h", 80_000, 3e-5, 1.5e-6),
    ("whisper-large", 1_024, 1.75e-4, 0.875e-4),
    ("whisper-large", 2_048, 1.75e-4, 1.75e-4),
    ("whisper-large", 525_312, 1.75e-4, 0.875e-4),
    ("whisper-large", 1_048_576, 1.75e-4, 0.0),
    ("wide-resnet-cifar10", 60 * 391 - 1, 0.1, 0.1),
    ("wide-resnet-cifar10", 60 * 391, 0.1, 0.02),
    ("wide-resnet-cifar10", 120 * 391, 0.1, 0.004),
    ("wide-resnet-cifar10", 200 * 391 - 1, 0.1, 0.0008),
    ("yolov3", 500, 1e-3, 1e-3 / 16),
    ("yolov3", 1_000, 1e-3, 1e-3),
    ("yolov3", 399_999, 1e-3, 1e-3),
    ("yolov3", 400_000, 1e-3, 1e-4),
    ("yolov3", 500_199, 1e-3, 1e-5),
]


@pytest.mark.parametrize(("name", "step", "base", "rate"), ROWS)
def test_a_recipe_has_the_rate_that_its_source_states(name, step, base, rate):
    assert olm.load(RECIPES[name]).lr(step, base=base) == pytest.approx(rate, rel=1e-9, abs=1e-15)


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_a_recipe_has_a_title_and_its_base_rate_and_is_in_the_table(name):
    spec, (_, title, *_) = olm.load(RECIPES[name]), RECIPES[name].read_text().splitlines()
    assert TITLE.fullmatch(title)
    base = dict(spec.optimizer or spec.param_groups[0].numbers)["lr"]
    assert {row[2] for row in ROWS if row[0] == name} == {base}


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_a_recipe_is_shown_with_its_own_base_rate(name, capsys):
    spec = olm.load(RECIPES[name]).resolve()
    base = own_numbers(spec, "lr", None)[0]
    assert main(["show", str(RECIPES[name]), "--steps", "3", "--csv", "-"]) == 0
    shown = [line.split(",")[1] for line in capsys.readouterr().out.splitlines()[1:]]
    assert [float(rate) for rate in shown] == pytest.approx(spec.lr(range(4), base=base))


@pytest.mark.parametrize("name", sorted(RECIPES.keys() - WITHOUT_A_PAPER))
def test_a_recipe_cites_the_year_of_its_source(name):
    assert YEAR.search(RECIPES[name].read_text())


def test_olmo_2_is_stopped_near_the_first_rate_of_its_second_stage():
    before = olm.load(RECIPES["olmo-2-7b"]).lr(928_645, base=3e-4)
    assert before == pytest.approx(6.1499e-5, rel=0.003)


def test_a_floor_under_a_cosine_is_reached_before_its_end():
    pythia = olm.load(RECIPES["pythia-160m"])
    assert pythia.lr(115_138, base=6e-4) > pythia.lr(115_139, base=6e-4) == pytest.approx(6e-5)


def test_a_recipe_with_targets_expects_the_numbers_of_its_source():
    with_targets = {name for name, path in RECIPES.items() if olm.load(path).also}
    assert with_targets == {
        "deepseek-v3",
        "dinov2-vit-l16",
        "lightning-pose-unfreezing",
        "megatron-weight-decay",
        "modded-nanogpt",
        "nanochat",
        "one-cycle-with-momentum",
        "v-jepa-vit-l16",
    }
    for name in (*with_targets, "mae-vit-base-finetuning"):
        spec = olm.load(RECIPES[name]).resolve()
        assert spec.expect.values
        assert list(unmet(spec)) == []
        shifted = spec.expect.values[-1].model_copy(update={"is_": 0.123})
        wrong = spec.expect.model_copy(update={"values": (shifted,)})
        assert [problem.code for problem in unmet(spec.model_copy(update={"expect": wrong}))] == [
            "expectation"
        ]


def test_one_cycle_with_momentum_is_that_of_torch_at_every_step():
    torch = pytest.importorskip("torch")
    spec = olm.load(RECIPES["one-cycle-with-momentum"])
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.1, total_steps=1000)
    rates, momenta = [], []
    for step in range(1000):
        rates.append(optimizer.param_groups[0]["lr"])
        momenta.append(optimizer.param_groups[0]["momentum"])
        optimizer.step()
        if step < 999:
            scheduler.step()
    assert spec.lr(range(1000), base=0.1) == pytest.approx(rates, rel=1e-11)
    assert spec.of("momentum", range(1000), base=0.9) == pytest.approx(momenta, rel=1e-15)


@pytest.mark.parametrize("name", RAMPS)
def test_a_recipe_of_megatron_has_the_batches_and_the_rates_of_its_run_at_every_recorded_step(name):
    run, spec = RAMPS[name], olm.load(RECIPES[name]).resolve()
    (base,) = own_numbers(spec, "lr", None)
    steps, samples, rates = zip(*run["at"], strict=True)
    assert spec.lr(steps, base) == pytest.approx(rates, rel=0, abs=1e-15 * base)
    assert [spec.clock.samples_at(step) for step in steps] == [*samples]
    firsts, batches, _ = zip(*run["stages"], strict=True)
    assert [spec.clock.batch_at(step) for step in firsts] == [*batches]
    assert spec.clock.total_steps == run["whole_steps"]


@pytest.mark.parametrize(
    ("name", "total", "rows"),
    [
        # The tokens in each step, and before it: by hand from the batches and where they begin.
        ("modded-nanogpt", 1_300, [(427, 2**17, 427 * 2**17), (428, 2**18, 56_098_816),
                                   (857, 3 * 2**17, 168_558_592), (1_300, 3 * 2**17, 342_753_280)]),
        ("nanochat-batch-ramp", 55_314, [(5_722, 2**18, 5_722 * 2**18),
                                         (5_723, 2**19, 5_723 * 2**18),
                                         (12_399, 2**20, 5_723 * 2**18 + 6_676 * 2**19)]),
        ("llama-3-405b", 1_100_929, [(60, 2**22, 60 * 2**22), (61, 2**23, 61 * 2**22),
                                     (342_161, 2**23, 61 * 2**22 + 342_100 * 2**23),
                                     (342_162, 2**24, 61 * 2**22 + 342_101 * 2**23)]),
        ("deepseek-v3", 247_199, [(2_000, 3072 * 4096, 25_165_824_000),
                                  (10_000, 6144 * 4096, 134_398_083_072),
                                  (19_414, 15360 * 4096, 469_028_044_800),
                                  (247_198, 15360 * 4096, 14_799_958_179_840)]),
    ],
)  # fmt: skip
def test_the_batch_of_a_recipe_grows_after_the_tokens_that_its_source_states(name, total, rows):
    clock = olm.load(RECIPES[name]).clock
    assert clock.total_steps == total
    for step, batch, before in rows:
        assert clock.tokens_at(step) == before
        assert clock.tokens_at(step + 1) - before == batch


def test_the_sequences_of_llama_3_double_with_its_first_batches():
    clock = olm.load(RECIPES["llama-3-405b"]).clock
    assert [clock.tokens_per_sample_at(step) for step in (60, 61, 342_162)] == [4096, 8192, 8192]
    assert [clock.batch_at(step) for step in (60, 61, 342_162)] == [1024, 1024, 2048]


def test_the_increments_that_deepseek_does_not_publish_change_its_steps_by_less_than_two_percent():
    written = olm.load(RECIPES["deepseek-v3"]).clock.known
    totals = [
        olm.Clock(**{**written, "batch_ramp": {**written["batch_ramp"], "by": by}}).total_steps
        for by in (3072, 1024, 256, 16, 1)
    ]
    assert totals == [247_199, 244_107, 243_099, 242_802, 242_784]


def test_ramps_take_more_steps_than_their_last_batch_would():
    ends = {"gpt-3-175b": 95_367, "nanochat-batch-ramp": 47_684}
    for name, steps in ends.items():
        written = olm.load(RECIPES[name]).clock.known
        plan = written.pop("batch_stages", None)
        last = {"tokens_per_step": plan[-1]["tokens"]} if plan else {
            "samples_per_step": written.pop("batch_ramp")["end"]
        }  # fmt: skip
        assert olm.Clock(**written, **last).total_steps == steps
