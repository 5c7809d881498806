"""mmengine: its Runner takes no torch scheduler, only parameter schedulers of its own.

In a config, with no registration and no `custom_imports`::

    param_scheduler = dict(
        type="olm.train.hosts.mmengine.OlmScheduler",
        spec=dict(kind="WarmupCosineScheduler", warmup_steps=500, total_steps=90_000),
    )

A spec with durations is counted by what the Runner says of itself: beside ``by_epoch=False`` how
many iterations it has and, where it counts epochs, beside ``convert_to_iter_based=True`` how many
epochs, and how long they are. ``clock=dict(samples_per_step=512)`` says the rest.

`OlmScheduler` is made when it is first asked for, because its base class is mmengine's: importing
this file needs no mmengine.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from math import ceil
from os import PathLike
from typing import TYPE_CHECKING, Any
from weakref import ref

from olm.fields.errors import quoted
from olm.problem import OlmError
from olm.schedule.clock import Clock
from olm.spec.load import as_spec
from olm.train.hosts._beginning import clock_over, scheduler_of
from olm.train.schedulers.schedule_lr import ScheduleLR

if TYPE_CHECKING:
    from olm.spec.agreement import OnChange


class _Along:
    """A parameter scheduler of mmengine that steps along a spec, once for each optimizer step.

    mmengine steps its own schedulers after every iteration, also after those in which gradients
    only accumulate. This one moves with the optimizer itself, so that ``total_steps`` counts
    optimizer steps, and a step that a GradScaler skips is none.

    Args:
        optimizer: the OptimWrapper, or optimizer, that the Runner passes.
        spec: a mapping, or the path of a YAML or JSON file.
        monitor: the metric of the validation that a metric-driven schedule observes, and only
            such a schedule has.
        on_change: what to do if a checkpoint is of another schedule or of other base rates: raise
            an ``"error"``, go on with the ``"checkpoint"``'s, or with this ``"spec"``.
        clock: what the run is, if the spec has durations: a Clock, or a mapping of its fields. It
            wins over what the Runner says.
        by_epoch: only False, or nothing: a schedule counts steps. If it is said, `end` is the
            number of iterations.
        end: what the Runner fills in, the length of the training.

    Raises:
        OlmError: ``by_epoch``, or a monitor where none is of use, or none where one is needed.
        SpecError: the spec is not valid.
    """

    param_name = "lr"
    need_val_args = True

    def __init__(
        self,
        optimizer: Any,
        spec: Mapping[str, Any] | str | PathLike[str],
        monitor: str | None = None,
        on_change: OnChange = "error",
        clock: Clock | Mapping[str, Any] | None = None,
        by_epoch: bool | None = None,
        end: int | None = None,
    ) -> None:
        said = as_spec(spec)
        if by_epoch:
            raise OlmError("by_epoch: a spec counts optimizer steps, leave it out")
        if said.schedule.metric_driven == (monitor is None):
            what = "needs a monitor, the name of a metric" if monitor is None else "has no monitor"
            raise OlmError(f"monitor: {said.schedule.kind} {what}")
        self.optimizer, self._monitor, self._on_change = optimizer, monitor, on_change
        # Without `by_epoch`, the Runner gives epochs, also where it does not count them.
        known = _clock_of(optimizer, end if by_epoch is False else None)
        self._scheduler = scheduler_of(said, optimizer, clock_over(clock, known))
        # The Runner passes metrics only to those that it believes to step once an epoch.
        self.by_epoch = said.schedule.metric_driven
        self._record()
        mine = ref(self)

        def follow(*_: Any) -> None:
            if (scheduler := mine()) is not None:
                scheduler._advance()

        self._scheduler.optimizer.register_step_post_hook(follow)

    @classmethod
    def build_iter_from_epoch(
        cls, optimizer: Any, *, epoch_length: int, end: int | None = None, **said: Any
    ) -> Any:
        """What the Runner calls in place of the constructor for ``convert_to_iter_based=True``."""
        # A Runner that counts iterations says that it has one epoch, however many it has.
        length = end * epoch_length if end is not None and end > 1 else None
        known = _clock_of(optimizer, length, epoch_length)
        return cls(optimizer, clock=clock_over(said.pop("clock", None), known), **said)

    @property
    def scheduler(self) -> ScheduleLR:
        """The torch scheduler."""
        return self._scheduler

    def step(self, metrics: Mapping[str, Any] | None = None) -> None:
        """Observe the metrics of a validation. Without any: nothing, the optimizer's steps count.

        Raises:
            OlmError: the monitored metric is not among them, or is no number.
        """
        if metrics is None or self._monitor is None:
            return
        if self._monitor not in metrics:
            there = ", ".join(map(str, metrics)) or "none"
            raise OlmError(f"monitor: there is no metric {quoted(self._monitor)}, found {there}")
        self._scheduler.observe(metrics[self._monitor])
        self._record()

    def get_last_value(self) -> list[float]:
        """The rates that were set last, one a param group."""
        return self._scheduler.get_last_lr()

    def state_dict(self) -> dict[str, Any]:
        """The schedule and where it stands: a spec, further along, in plain JSON values."""
        return self._scheduler.state_dict()

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go to where a state stands.

        Raises:
            StateError: it is of another schedule, and ``on_change`` is ``"error"``; or no state.
        """
        self._scheduler.load_state_dict(state_dict, on_change=self._on_change)
        self._record()

    def _advance(self) -> None:
        # A plateau's own step wants a metric; here metrics come when there are any.
        ScheduleLR.step(self._scheduler)
        self._record()

    def _record(self) -> None:
        """Say what the base rate has become, where the wrapper keeps it for the log."""
        if base := getattr(self.optimizer, "base_param_settings", None):
            initial = base.setdefault("initial_lr", base["lr"])
            step = max(self._scheduler.last_epoch, 0)
            base["lr"] = float(self._scheduler.schedule.lr(step, float(initial)))


def _clock_of(wrapper: Any, iterations: int | None, epoch_length: int | None = None) -> Clock:
    """The clock of some iterations, of which an OptimWrapper may accumulate several for a step."""
    count = getattr(wrapper, "_accumulative_counts", 1)
    return Clock(
        # It steps at the end, too, with those that are left; but not at the end of an epoch.
        total_steps=ceil(iterations / count) if iterations else None,
        steps_per_epoch=epoch_length / count if epoch_length else None,
    )


def __getattr__(name: str) -> Any:
    if name != "OlmScheduler":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    base = import_module("mmengine.optim")._ParamScheduler
    space = {"__doc__": _Along.__doc__, "__module__": __name__}
    made = type(name, (_Along, base), space)
    # The short name is for configs that say `type="OlmScheduler"` after importing this class.
    registry = import_module("mmengine.registry").PARAM_SCHEDULERS
    globals()[name] = registry.register_module(name=name, module=made, force=True)
    return made
