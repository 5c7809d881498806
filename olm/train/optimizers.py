"""Several optimizers as one, such as Muon for the matrices of a model and AdamW for the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from inspect import Parameter, signature
from types import MappingProxyType
from typing import Any
from weakref import ref

import torch
from torch import Tensor
from torch.optim import Optimizer

from olm.problem import OlmError, StateError, found, listed
from olm.train.optimizer_views import GroupsOfParts, StateOfParts, StatesOfParts

RESERVED = ("state", "param_groups")
"""The keys that only the state of a single optimizer has."""


class Optimizers(Optimizer):
    """A torch optimizer that consists of several, so that one scheduler sets all rates.

    >>> matrix, bias = torch.nn.Linear(2, 2).parameters()
    >>> optimizer = Optimizers(
    ...     muon=torch.optim.Muon([matrix], lr=0.02),
    ...     adamw=torch.optim.AdamW([bias], lr=0.001),
    ... )
    >>> import olm
    >>> scheduler = olm.build({"kind": "LinearLR", "total_steps": 4}, optimizer)
    >>> optimizer.step()
    >>> scheduler.step()
    >>> scheduler.get_last_lr()
    [0.015, 0.00075]
    >>> optimizer.group_names()
    ['muon/0', 'adamw/0']
    >>> list(optimizer.state_dict())
    ['muon', 'adamw']

    The param groups are those of all parts. Steps, gradients and states go to the parts, each of
    which can also be stepped, saved and loaded alone. A closure is called once per step, before the
    parts step. Add a param group to a part: ``optimizer.parts["muon"].add_param_group(...)``.

    Functions that save one optimizer by the names of its parameters, such as ``get_state_dict`` of
    torch's distributed checkpoints, take the parts: ``[*optimizer.parts.values()]``.

    Args:
        parts: the optimizers by name. The order is that of the param groups and of the steps.

    Raises:
        TypeError: a part is not an optimizer.
        OlmError: there is no part, a name is not usable, two parts have the same parameter, or the
            step of a part needs a closure.
    """

    _parts: dict[str, Optimizer]

    def __init__(self, /, **parts: Optimizer) -> None:
        _check(parts)
        self.__setstate__({"_parts": parts})

    @property
    def parts(self) -> Mapping[str, Optimizer]:
        """The optimizers by name."""
        return MappingProxyType(self._parts)

    def group_names(self) -> list[str]:
        """The name of every param group: its part, and its own name or its place in the part."""
        return [
            f"{name}/{group.get('name', index)}"
            for name, part in self._parts.items()
            for index, group in enumerate(part.param_groups)
        ]

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        """The param groups of all parts, in a new list. A change of a group changes its part."""
        # A scheduler asks at every step: a comprehension takes half as long as a generator.
        return GroupsOfParts(
            [group for part in self._parts.values() for group in part.param_groups]
        )

    @param_groups.setter
    def param_groups(self, groups: object) -> None:
        raise OlmError("param_groups are those of the parts: assign to those of a part")

    @property  # type: ignore[override]  # torch's is a dict
    def state(self) -> StateOfParts:
        """What the parts keep for each parameter. A change of it changes the part."""
        return StateOfParts(self._parts.values())

    @state.setter
    def state(self, state: object) -> None:
        raise OlmError("state is that of the parts: assign to that of a part")

    @property
    def defaults(self) -> dict[str, Any]:  # type: ignore[override]  # torch's can be assigned
        """The hyperparameters that all parts have, with the defaults of the first part."""
        first, *others = (part.defaults for part in self._parts.values())
        return {key: first[key] for key in first if all(key in other for other in others)}

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Step every part.

        Args:
            closure: computes the gradients and returns the loss. It is called once.

        Returns:
            What the closure returned.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for part in self._parts.values():
            part.step()
        return loss

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Reset the gradients of all parameters, to None or to zeros."""
        for part in self._parts.values():
            part.zero_grad(set_to_none=set_to_none)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Refuse the group, because it must belong to a part.

        Raises:
            OlmError: always.
        """
        names = listed((f'parts["{name}"]' for name in self._parts), "or")
        raise OlmError(f"a param group belongs to a part: call add_param_group of {names}")

    def state_dict(self) -> dict[str, Any]:
        """The states of the parts by name."""
        for before in self._optimizer_state_dict_pre_hooks.values():
            before(self)
        states: dict[str, Any] = StatesOfParts(
            (name, part.state_dict()) for name, part in self._parts.items()
        )
        for after in self._optimizer_state_dict_post_hooks.values():
            changed = after(self, states)
            states = states if changed is None else changed
        return states

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Load the states of all parts, or of none.

        Args:
            state_dict: what `state_dict` returned. It is not changed.

        Raises:
            StateError: the state has other parts, or a part does not load its own.
        """
        states = dict(state_dict)
        for before in self._optimizer_load_state_dict_pre_hooks.values():
            changed = before(self, states)
            states = states if changed is None else dict(changed)
        self._check_states(states)
        old = [(part, part.state, part.param_groups) for part in self._parts.values()]
        for name, part in self._parts.items():
            try:
                part.load_state_dict(states[name])
            except Exception as error:
                # A load replaces the state and the groups of a part, and leaves the old ones alone.
                for changed_part, state, groups in old:
                    changed_part.state, changed_part.param_groups = state, groups
                raise StateError(f"{name}: the state does not load: {error}") from error
        for after in self._optimizer_load_state_dict_post_hooks.values():
            after(self)

    def _check_states(self, states: Mapping[str, Any]) -> None:
        if {*states} != {*self._parts}:
            raise StateError(
                f"this is a state of {listed(states, 'and') or 'no optimizer'}, but the parts are "
                f"{listed(self._parts, 'and')}: load the state of a single optimizer into its part"
            )
        for name, state in states.items():
            if not isinstance(state, Mapping) or not {*RESERVED} <= {*state}:
                raise StateError(
                    f"{name}: the state must be a mapping with {listed(RESERVED, 'and')}, "
                    f"found {found(state)}"
                )

    def __getstate__(self) -> dict[str, Any]:
        return {"_parts": self._parts}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        reference = ref(self)

        def mark(part: Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            if (living := reference()) is not None:
                # torch's schedulers warn if this flag is missing at their second step.
                living._opt_called = True  # type: ignore[attr-defined]  # torch sets it

        for part in self._parts.values():
            innermost(part).register_step_post_hook(mark)

    def __repr__(self) -> str:
        parts = "\n".join(f"{name}: {part!r}" for name, part in self._parts.items())
        return f"{type(self).__name__} (\n{parts}\n)"


def innermost(optimizer: Optimizer) -> Optimizer:
    """An optimizer without its wrappers, such as Accelerate's, which have no hooks."""
    while isinstance(inner := getattr(optimizer, "optimizer", None), Optimizer):
        optimizer = inner
    return optimizer


def _check(parts: Mapping[str, Optimizer]) -> None:
    if not parts:
        raise OlmError("there is no optimizer: pass at least one, such as adamw=...")
    owners: dict[Tensor, str] = {}
    for name, part in parts.items():
        if not name.isidentifier() or name in RESERVED:
            raise OlmError(f"the name of a part must be an identifier such as muon, found {name!r}")
        _check_part(name, part)
        for parameter in _parameters(part):
            other = owners.setdefault(parameter, name)
            if other != name:
                raise OlmError(
                    f"`{other}` and `{name}` have a parameter in common, which each step would "
                    "change twice: leave it out of one of them"
                )


def _check_part(name: str, part: Optimizer) -> None:
    if not isinstance(part, Optimizer):
        raise TypeError(f"{name} must be a torch Optimizer, found {type(part).__name__}")
    inner = innermost(part)
    if isinstance(inner, Optimizers):
        raise OlmError(f"{name} consists of several optimizers: pass each of them")
    _, *arguments = signature(type(inner).step).parameters.values()
    variadic = (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)
    if any(item.default is item.empty and item.kind not in variadic for item in arguments):
        raise OlmError(
            f"{name}: the step of {type(inner).__name__} needs a closure, which it may call "
            "several times, while the other parts wait: step it with a loop of your own"
        )


def _parameters(part: Optimizer) -> Iterator[Tensor]:
    return (parameter for group in part.param_groups for parameter in group["params"])
