"""The handwritten digits of scikit-learn, and a small model that learns to read them."""

from __future__ import annotations

from functools import cache

import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.utils.data import TensorDataset

TRAINED_WITH = 1560
"""The number of images, of 1,797, for training; the others are for testing."""


@cache
def digits() -> tuple[Tensor, Tensor]:
    """The images, as rows of 64 numbers from 0 to 1, and the digits in them."""
    images, labels = load_digits(return_X_y=True)
    return torch.tensor(images / 16, dtype=torch.float32), torch.tensor(labels)


def trained_with(count: int = TRAINED_WITH) -> TensorDataset:
    """The first images, as a data set."""
    return TensorDataset(*(part[:count] for part in digits()))


def new_model() -> nn.Module:
    """A model with two layers, which always starts with the same weights."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))


def score(model: nn.Module) -> float:
    """The share of the test images that a model reads correctly."""
    images, labels = (part[TRAINED_WITH:] for part in digits())
    return float((model(images).argmax(1) == labels).float().mean())
