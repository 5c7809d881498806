"""torchtitan: a container of schedulers for any spec, which saves the whole state.

torchtitan's own container has one schedule and saves only a position. Replace it in a function of a
config registry::

    from olm.train.hosts.torchtitan import OlmSchedulers

    lr_scheduler=OlmSchedulers.Config(spec="pretrain.olm.yaml"),

torchtitan passes the number of training steps, by which a share of the run, such as ``10%``, is
counted. It passes no batch size, so samples, tokens and epochs need a ``clock``::

    lr_scheduler=OlmSchedulers.Config(
        spec="pretrain.olm.yaml", clock={"tokens_per_step": 256 * 8192}
    ),

`OlmSchedulers` is created on first access, because its base class is torchtitan's: importing this
module does not need torchtitan.
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
from olm.train.hosts._targets import check_one_optimizer, driven
from olm.train.schedulers.schedule_lr import ScheduleLR

if TYPE_CHECKING:
    from olm.spec.agreement import OnChange

KEYS = {"last_epoch", "schedulers"}


class _OlmSchedulers:
    """A scheduler for each optimizer of a container, all with the same spec.

    The state has torchtitan's ``last_epoch`` and, as one JSON text, the whole state of each
    scheduler of one model part: a distributed checkpoint is loaded leaf by leaf, and a text stays
    whole. All parts have the same optimizers, so a checkpoint of two pipeline stages loads into
    four.

    Args:
        optimizers: torchtitan's container of optimizers.
        spec: a mapping, or the path of a YAML or JSON file.
        on_change: what to do if a checkpoint has another schedule or other base rates: raise an
            ``"error"``, or continue with the ``"checkpoint"``'s schedule or with this ``"spec"``.
        clock: the run's numbers if the spec has durations; in a config, a Clock or a mapping of its
            fields, which overrides torchtitan's number of training steps.

    Raises:
        OlmError: there is no optimizer; the schedule is metric-driven, and torchtitan passes no
            metrics; or there are several optimizers, and a target names param groups.
        SpecError: the spec is invalid.
    """

    schedulers: list[ScheduleLR]

    def __init__(
        self,
        optimizers: Any,
        spec: Mapping[str, Any] | str,
        on_change: OnChange = "error",
        clock: Clock | Mapping[str, Any] | None = None,
    ) -> None:
        parsed = as_spec(spec)
        if (what := driven(parsed)) is not None:
            raise OlmError(f"{what} is driven by a metric: torchtitan passes none")
        for target in parsed.also:
            if target.metric is not None:
                raise OlmError(f"{target.label} is driven by a metric: torchtitan passes none")
        if not len(optimizers):
            raise OlmError("optimizers must have at least 1 optimizer, found none")
        check_one_optimizer(parsed, len(optimizers) // len(optimizers.model_parts), "torchtitan")
        self.schedulers = [scheduler_of(parsed, optimizer, clock) for optimizer in optimizers]
        self._on_change = on_change
        self._per_part = len(self.schedulers) // len(optimizers.model_parts)

    def state_dict(self) -> dict[str, Any]:
        """The position and, as JSON text, the states of one part's schedulers."""
        states = [scheduler.state_dict() for scheduler in self.schedulers[: self._per_part]]
        return {"last_epoch": states[0]["last_epoch"], "schedulers": json.dumps(states)}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go to the position of a state, with all schedulers or with none.

        Raises:
            StateError: it is not a state, or has another schedule while ``on_change`` is
                ``"error"``.
        """
        states = self._states_of(state_dict)
        done: list[tuple[ScheduleLR, dict[str, Any]]] = []
        try:
            for index, scheduler in enumerate(self.schedulers):
                before = scheduler.state_dict()
                state = states[index % self._per_part]
                scheduler.load_state_dict(state, on_change=self._on_change)
                done.append((scheduler, before))
        except OlmError:
            for scheduler, before in done:
                scheduler.load_state_dict(before, on_change="checkpoint")
            raise

    def _states_of(self, state: Mapping[str, Any]) -> list[Any]:
        """The states of the schedulers in a container's state."""
        if not isinstance(state, Mapping) or set(state) != KEYS:
            raise StateError(
                "the state of torchtitan's schedulers must have last_epoch and schedulers, "
                f"found {', '.join(map(str, state)) or 'nothing'} (torchtitan's own container "
                "saves last_epoch alone)"
            )
        try:
            states = json.loads(state["schedulers"])
        except (TypeError, ValueError):
            raise StateError(
                f"schedulers must be JSON text, found {found(state['schedulers'])}"
            ) from None
        if not isinstance(states, list) or len(states) != self._per_part:
            raise StateError(
                f"schedulers must be a list of length {self._per_part}, with a state for each "
                f"optimizer of a model part, found {found(states)}"
            )
        for scheduler in states:
            if isinstance(scheduler, dict) and scheduler.get("last_epoch") != state["last_epoch"]:
                raise StateError(
                    f"last_epoch is {found(state['last_epoch'])}, but the schedulers are at "
                    f"{found(scheduler.get('last_epoch'))}: this is a mixture of two states"
                )
        return states


def _build(self: Any, *, optimizers: Any, training_steps: int) -> Any:
    """The container for these optimizers.

    Raises:
        OlmError: a field of torchtitan's own schedule is set as well.
    """
    both = [
        field.name
        for field in fields(self)
        if field.name not in ("spec", "on_change", "clock")
        and getattr(self, field.name) != field.default
    ]
    if both:
        raise OlmError(f"{', '.join(both)}: leave out, the spec has the schedule")
    clock = clock_over(self.clock, Clock(total_steps=training_steps))
    return self._owner(optimizers, self.spec, self.on_change, clock)


def __getattr__(name: str) -> Any:
    if name != "OlmSchedulers":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    base = import_module("torchtitan.components.optimizer").LRSchedulersContainer
    config = make_dataclass(
        "Config",
        # Any: torchtitan's command line cannot express a mapping with lists of mappings.
        [("spec", Any), ("on_change", str, "error"), ("clock", Any, None)],
        bases=(base.Config,),
        namespace={"build": _build, "__module__": __name__},
        kw_only=True,
        slots=True,
    )
    config.__qualname__ = f"{name}.Config"
    space = {"__doc__": _OlmSchedulers.__doc__, "__module__": __name__, "Config": config}
    globals()[name] = type(name, (_OlmSchedulers, base), space)
    return globals()[name]
