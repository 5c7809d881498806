"""What an editor offers where a schedule is to be written: every kind, with its required fields.

These parts of a JSON Schema say nothing about what is valid. VS Code's and the YAML language
server's completion reads them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any

from pydantic import ValidationError

from olm.schedule.schedule import Schedule
from olm.schema.documentation import markdown, plain, summary
from olm.text.scalars import for_every_reader


def names(kinds: Mapping[str, type[Schedule]]) -> dict[str, Any]:
    """The schema of the key `kind`: one of these, each with a sentence."""
    summaries = [summary(model) for model in kinds.values()]
    return {
        "description": "Which schedule it is: the name of its torch class.",
        "enum": list(kinds),
        "enumDescriptions": [plain(text) for text in summaries],
        "markdownEnumDescriptions": [markdown(text) for text in summaries],
    }


def snippet(model: type[Schedule]) -> dict[str, Any]:
    """A kind with its required fields as its first example has them, each to be changed in turn.

    >>> from olm.kinds import KINDS
    >>> snippet(KINDS["WarmupCosineScheduler"])["body"]
    {'kind': 'WarmupCosineScheduler', 'warmup_steps': '^${1:10}', 'total_steps': '^${2:100}'}
    """
    kind, numbers = model.model_fields["kind"].default, count(1)
    example = next(iter(model.examples), {})
    body = {name: _placeholder(value, numbers) for name, value in _least(model, example).items()}
    return {"label": kind, "description": plain(summary(model)), "body": {"kind": kind, **body}}


def _least(model: type[Schedule], example: dict[str, Any]) -> dict[str, Any]:
    """The required fields of an example; all of them, where one of several others is needed too."""
    required = {
        name: example.get(name, "")
        for name, field in model.model_fields.items()
        if field.is_required()
    }
    try:
        model(**required)
    except ValidationError:
        return example
    return required


def _placeholder(value: Any, numbers: Iterator[int]) -> Any:
    if isinstance(value, dict):
        return {
            key: item if key == "kind" else _placeholder(item, numbers)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_placeholder(item, numbers) for item in value]
    text = str(value)
    if isinstance(value, bool | float):
        text = text.lower() if isinstance(value, bool) else for_every_reader(text)
    # The ^ keeps VS Code from putting a number in quotes where it writes JSON.
    return f"^${{{next(numbers)}:{text}}}"
