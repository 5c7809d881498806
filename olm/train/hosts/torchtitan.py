"""torchtitan: its container of schedulers knows one schedule, and saves nothing but a position.

In a function of a config registry, where torchtitan has ``LRSchedulersContainer.Config(...)``::

    from olm.train.hosts.torchtitan import OlmSchedulers

    lr_scheduler=OlmSchedulers.Config(spec="pretrain.olm.yaml"),

A spec with durations is counted by the training steps, which torchtitan says to whoever builds a
schedule; of batches it says nothing, so that tokens need a ``clock``::

    lr_scheduler=OlmSchedulers.Config(
        spec="pretrain.olm.yaml", clock={"tokens_per_step": 256 * 8192}
    ),

`OlmSchedulers` is made when it is first asked for, because its base class is torchtitan's:
importing this file needs no torchtitan.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, make_dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from olm.problem import OlmError, StateError, found
from olm.schedule.clock import Clock
from olm.spec.load import as_spec
from olm.train.hosts._beginning import clock_over, scheduler_of
from olm.train.schedulers.schedule_lr import ScheduleLR

if TYPE_CHECKING:
    from olm.spec.agreement import OnChange

KEYS = {"last_epoch", "schedulers"}


class _Along:
    """A scheduler for each optimizer of a container, all along one spec.

    Its state has torchtitan's ``last_epoch`` and, as one text of JSON, the whole state of each
    scheduler of one part of the model: a distributed checkpoint is loaded leaf by leaf, and a text
    stays whole. The parts all have the same optimizers, so that a checkpoint of two pipeline stages
    loads into four.

    Args:
        optimizers: torchtitan's container of optimizers.
        spec: a mapping, or the path of a YAML or JSON file.
        on_change: what to do if a checkpoint is of another schedule or of other base rates: raise
            an ``"error"``, go on with the ``"checkpoint"``'s, or with this ``"spec"``.
        clock: what the run is, if the spec has durations; in a config, what wins over the training
            steps, or a mapping that says it.

    Raises:
        OlmError: there is no optimizer, or the schedule is metric-driven: torchtitan has no metric.
        SpecError: the spec is not valid.
    """

    schedulers: list[ScheduleLR]

    def __init__(
        self,
        optimizers: Any,
        spec: Mapping[str, Any] | str,
        on_change: OnChange = "error",
        clock: Clock | None = None,
    ) -> None:
        said = as_spec(spec)
        if said.schedule.metric_driven:
            raise OlmError(f"{said.schedule.kind}: torchtitan has no metric to drive it")
        if not len(optimizers):
            raise OlmError("there must be an optimizer at least, found none")
        self.schedulers = [scheduler_of(said, optimizer, clock) for optimizer in optimizers]
        self._on_change = on_change
        self._kept = len(self.schedulers) // len(optimizers.model_parts)

    def state_dict(self) -> dict[str, Any]:
        """The position and, as JSON text, the states of one part's schedulers."""
        states = [scheduler.state_dict() for scheduler in self.schedulers[: self._kept]]
        return {"last_epoch": states[0]["last_epoch"], "schedulers": json.dumps(states)}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go to where a state stands, with all schedulers or with none.

        Raises:
            StateError: it is of another schedule, and ``on_change`` is ``"error"``; or no state.
        """
        states = self._states_of(state_dict)
        done: list[tuple[ScheduleLR, dict[str, Any]]] = []
        try:
            for index, scheduler in enumerate(self.schedulers):
                before = scheduler.state_dict()
                state = states[index % self._kept]
                scheduler.load_state_dict(state, on_change=self._on_change)
                done.append((scheduler, before))
        except OlmError:
            for scheduler, before in done:
                scheduler.load_state_dict(before, on_change="checkpoint")
            raise

    def _states_of(self, state: Mapping[str, Any]) -> list[Any]:
        """The states that a container's state says."""
        if not isinstance(state, Mapping) or set(state) != KEYS:
            raise StateError(
                "the state of torchtitan's schedulers must have last_epoch and schedulers, "
                f"found {', '.join(map(str, state)) or 'nothing'}: one with last_epoch alone "
                "says no schedule, it is torchtitan's own"
            )
        try:
            states = json.loads(state["schedulers"])
        except (TypeError, ValueError):
            raise StateError(
                f"schedulers must be JSON text, found {found(state['schedulers'])}"
            ) from None
        if not isinstance(states, list) or len(states) != self._kept:
            raise StateError(
                f"schedulers must be a list of {self._kept}, one an optimizer of a part of the "
                f"model, found {found(states)}"
            )
        for each in states:
            if isinstance(each, dict) and each.get("last_epoch") != state["last_epoch"]:
                raise StateError(
                    f"last_epoch is {found(state['last_epoch'])} beside schedulers at "
                    f"{found(each.get('last_epoch'))}: the state mixes two"
                )
        return states


def _build(self: Any, *, optimizers: Any, training_steps: int) -> Any:
    """The container for these optimizers. A spec in steps says how long it is itself.

    Raises:
        OlmError: a field of torchtitan's own schedule is set too.
    """
    both = [
        field.name
        for field in fields(self)
        if field.name not in ("spec", "on_change", "clock")
        and getattr(self, field.name) != field.default
    ]
    if both:
        raise OlmError(f"{', '.join(both)}: the spec says what the schedule is, leave it out")
    clock = clock_over(self.clock, Clock(total_steps=training_steps))
    return self._owner(optimizers, self.spec, self.on_change, clock)


def __getattr__(name: str) -> Any:
    if name != "OlmSchedulers":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    base = import_module("torchtitan.components.optimizer").LRSchedulersContainer
    config = make_dataclass(
        "Config",
        # Any: torchtitan's command line has no words for a mapping that holds lists of mappings.
        [("spec", Any), ("on_change", str, "error"), ("clock", Any, None)],
        bases=(base.Config,),
        namespace={"build": _build, "__module__": __name__},
        kw_only=True,
        slots=True,
    )
    config.__qualname__ = f"{name}.Config"
    space = {"__doc__": _Along.__doc__, "__module__": __name__, "Config": config}
    globals()[name] = type(name, (_Along, base), space)
    return globals()[name]
