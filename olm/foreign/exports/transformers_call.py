"""transformers' TrainingArguments, as a call in Python, with the warm-up counted."""

from __future__ import annotations

from typing import Any

from olm.foreign.exports._candidates import best, heading
from olm.foreign.exports._targets import Run, Target
from olm.foreign.exports.transformers import TITLE, candidates


def write(run: Run) -> str:
    """The call."""
    return best(run, candidates(run), "transformers", TITLE, _call)


def _call(run: Run, settings: dict[str, Any]) -> str:
    lines = "".join(f"    {name}={value!r},\n" for name, value in settings.items())
    head = f"# {heading(run)}\nfrom transformers import TrainingArguments\n\n"
    return f"{head}arguments = TrainingArguments(\n{lines})\n"


TARGET = Target(title="a call of transformers' TrainingArguments", write=write, needs_base=True)
