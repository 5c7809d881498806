"""The schedules in the fields of a schedule: which they are, at which paths, and how deep."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, Self, TypeVar, get_args

from pydantic import BaseModel

from olm.fields.types import Signed
from olm.problem import Path

Model = TypeVar("Model", bound=type[BaseModel])


def class_variables_known(model: Model) -> Model:
    """Remove the annotations of class variables from a model, once pydantic has read them.

    Otherwise pydantic evaluates them again for every subclass: two thirds of the import of a kind.
    """
    for name in model.__class_vars__ & model.__annotations__.keys():
        del model.__annotations__[name]
    return model


class Nesting(BaseModel, metaclass=Signed):
    """A model whose fields may hold other models of its sort: one, or a list of them."""

    def children(self) -> tuple[Self, ...]:
        """The schedules in the fields, in the order of the fields."""
        if not child_fields(type(self)):
            return ()
        return tuple([child for _, inner in self._nested() for child in inner])

    def placed_children(self) -> list[tuple[Path, Self]]:
        """The schedules in the fields, each with its path, in the order of the fields."""
        return [
            ((name, index) if isinstance(getattr(self, name), tuple) else (name,), child)
            for name, inner in self._nested()
            for index, child in enumerate(inner)
        ]

    def at(self, path: Path) -> Any:
        """The value at a path, in this schedule or in one inside it.

        >>> from olm.kinds.step import MultiStep
        >>> MultiStep(milestones=[30, 80]).at(("milestones", 1))
        80
        """
        value: Any = self
        for part in path:
            value = value[part] if isinstance(part, int) else getattr(value, part)
        return value

    def with_children(self, children: Sequence[Self]) -> Self:
        """The same schedule with other children, equally many."""
        return self.model_copy(update=self.child_values(children))

    def child_values(self, children: Sequence[Self]) -> dict[str, Any]:
        """The values of the fields that have schedules, with other children, as many as before."""
        left, values = iter(children), {}
        for name, inner in self._nested():
            others = tuple(next(left) for _ in inner)
            values[name] = others if isinstance(getattr(self, name), tuple) else others[0]
        return values

    @property
    def depth(self) -> int:
        """How deep the schedules are nested: 1 without children."""
        return 1 + max((child.depth for child in self.children()), default=0)

    def _nested(self) -> Iterator[tuple[str, tuple[Self, ...]]]:
        """The fields that hold schedules, with the schedules."""
        for name in child_fields(type(self)):
            value = getattr(self, name)
            if value is not None:
                yield name, value if isinstance(value, tuple) else (value,)


@cache
def child_fields(model: type[BaseModel]) -> tuple[str, ...]:
    """The fields of a model that hold schedules.

    >>> from olm.kinds import KINDS
    >>> child_fields(KINDS["RepeatLR"])
    ('scheduler',)
    """

    def holds(annotation: Any) -> bool:
        if isinstance(annotation, type) and issubclass(annotation, Nesting):
            return True
        return any(map(holds, get_args(annotation)))

    fields = model.model_fields.items()
    return tuple(name for name, field in fields if holds(field.annotation))
