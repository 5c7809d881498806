"""What several optimizers have together, as torch expects it of one: groups, state and states."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, MutableMapping
from typing import Any, NoReturn

from torch import Tensor
from torch.optim import Optimizer

from olm.problem import OlmError, listed


class GroupsOfParts(list[dict[str, Any]]):
    """The param groups of all parts. Groups can be changed, but not added or removed.

    torch's ``param_groups`` is a list. Adding a group to this one would have no effect.
    """

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise OlmError("a param group belongs to a part: change the param_groups of a part")

    append = extend = insert = remove = pop = clear = sort = reverse = _refuse
    __setitem__ = __delitem__ = __iadd__ = __imul__ = _refuse

    def __reduce__(self) -> tuple[Any, ...]:
        # A list is copied and unpickled by its `append`.
        return list, (list(self),)


class StateOfParts(MutableMapping[Any, Any]):
    """What the parts keep for each parameter, under the parameter."""

    def __init__(self, parts: Iterable[Optimizer]) -> None:
        self._parts = list(parts)

    def __getitem__(self, key: Any) -> Any:
        return self._owner(key).state[key]

    def __setitem__(self, key: Any, value: Any) -> None:
        self._owner(key).state[key] = value

    def __delitem__(self, key: Any) -> None:
        del self._owner(key).state[key]

    def __iter__(self) -> Iterator[Any]:
        return (key for part in self._parts for key in part.state)

    def __len__(self) -> int:
        return sum(len(part.state) for part in self._parts)

    def __contains__(self, key: object) -> bool:
        return any(key in part.state for part in self._parts)

    def _owner(self, key: Any) -> Optimizer:
        """The part that has the state, or the parameter if it has no state yet."""
        for part in self._parts:
            if key in part.state or any(
                parameter is key for group in part.param_groups for parameter in group["params"]
            ):
                return part
        raise KeyError(key if not isinstance(key, Tensor) else "a parameter of none of the parts")

    def __repr__(self) -> str:
        return repr(dict(self))


class StatesOfParts(dict[str, Any]):
    """The states of the parts by name. It is saved as an ordinary dict."""

    def __missing__(self, key: str) -> NoReturn:
        if key in ("state", "param_groups"):
            names = listed(self, "and")
            raise OlmError(
                f"this is the state of several optimizers, {names}, and has no `{key}` of its own: "
                "pass the parts, such as get_state_dict(model, [*optimizer.parts.values()])"
            )
        raise KeyError(key)

    def __reduce__(self) -> tuple[Any, ...]:
        # torch.load(weights_only=True) refuses other classes.
        return OrderedDict, (), None, None, iter(self.items())
