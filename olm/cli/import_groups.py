"""The param groups that a configuration makes, as a table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from olm.cli.aligned import aligned
from olm.cli.terminal import visible
from olm.problem import dotted

if TYPE_CHECKING:
    from olm.foreign.configs._importing import Imported


def table(made: Imported) -> Iterator[str]:
    """The lines of the table.

    Args:
        made: the spec of the configuration.
    """
    yield f"{visible(made.file)}: {made.title}"
    if not made.groups:
        yield "  the file makes no param groups: all parameters have the numbers of the optimizer"
    numbers = dict(made.spec.optimizer)
    rows = [["group", "lr", "weight decay", "key", "parameters"]]
    for group in made.groups:
        lr = numbers.get("lr") if group.lr is None else group.lr
        decay = group.weight_decay
        decay = numbers.get("weight_decay") if decay is None else decay
        key = dotted(group.path) or "-"
        cells = [group.name, _number(lr), _number(decay), key, group.parameters]
        rows.append([*map(visible, cells)])
    if made.groups:
        yield from (f"  {line}" for line in aligned(rows))


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:g}"
