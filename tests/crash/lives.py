"""What a training process printed, and whether two of them have written the same."""

import os
import signal
import subprocess
from dataclasses import dataclass, field

import torch


@dataclass
class Life:
    """The lines that a training process printed until it was killed or ended."""

    process: subprocess.Popen
    said: list[list[str]] = field(default_factory=list)

    def read_until(self, *words):
        """Read lines up to one that starts with one of these words, or to the last."""
        while line := self.process.stdout.readline().decode().split():
            self.said.append(line)
            if line[0] in words:
                break

    def numbers(self, word):
        """The steps in the lines that start with a word."""
        return [int(line[1]) for line in self.said if line[0] == word]

    def kill(self):
        os.kill(*self.numbers("pid"), signal.SIGKILL)


def assert_same(one, other):
    """Assert that the contents of two files are equal to the bit, tensors included."""
    assert type(one) is type(other)
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        for key in one:
            assert_same(one[key], other[key])
    elif isinstance(one, list):
        for pair in zip(one, other, strict=True):
            assert_same(*pair)
    elif isinstance(one, torch.Tensor):
        assert torch.equal(one, other)
    else:
        assert one == other
