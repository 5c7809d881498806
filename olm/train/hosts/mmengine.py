"""mmengine: a parameter scheduler for its Runner, which does not take torch schedulers.

In a config, without registration or `custom_imports`::

    param_scheduler = dict(
        type="olm.train.hosts.mmengine.OlmScheduler",
        spec=dict(kind="WarmupCosineScheduler", warmup_steps=500, total_steps=90_000),
    )

A spec with durations needs the numbers of the Runner. With ``by_epoch=False`` the Runner passes its
number of iterations; a Runner that trains in epochs passes their number and length with
``convert_to_iter_based=True``. Add other numbers with ``clock=dict(samples_per_step=512)``.

`OlmScheduler` is created on first access, because its base class is mmengine's: importing this
module does not need mmengine.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import wraps
from importlib import import_module
from os import PathLike
from typing import TYPE_CHECKING, Any
from weakref import ref

from olm.fields.errors import quoted
from olm.problem import OlmError
from olm.schedule.clock import Clock
from olm.spec.load import as_spec
from olm.train.hosts._beginning import clock_over, scheduler_of
from olm.train.hosts._targets import check_covered, driven, observe
from olm.train.schedulers.schedule_lr import ScheduleLR

if TYPE_CHECKING:
    from olm.spec.agreement import OnChange


class _OlmScheduler:
    """A parameter scheduler of mmengine that follows a spec, one step per optimizer step.

    mmengine steps its own schedulers after every iteration, also while gradients accumulate. An
    `OlmScheduler` steps with the optimizer, so ``total_steps`` counts optimizer steps, and a step
    that a GradScaler skips is not counted.

    Args:
        optimizer: the OptimWrapper, or optimizer, that the Runner passes.
        spec: a mapping, or the path of a YAML or JSON file.
        monitor: the validation metric that drives the schedule; required for a metric-driven
            schedule, an error for any other.
        on_change: what to do if a checkpoint has another schedule or other base rates: raise an
            ``"error"``, or continue with the ``"checkpoint"``'s schedule or with this ``"spec"``.
        clock: the run's numbers if the spec has durations: a Clock, or a mapping of its fields. It
            overrides the Runner's numbers.
        by_epoch: False or omitted: a schedule counts steps. With False, `end` is the number of
            iterations.
        end: the length of the training, which the Runner fills in.

    Raises:
        OlmError: ``by_epoch`` is true, `monitor` is missing or of no use, or a target names param
            groups that only another optimizer has.
        SpecError: the spec is invalid.
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
        parsed = as_spec(spec)
        if by_epoch:
            raise OlmError("by_epoch must be false or left out: a spec counts optimizer steps")
        what = driven(parsed)
        if (what is None) == (monitor is not None):
            raise OlmError(
                f"monitor: {what} is driven by a metric and needs its name"
                if monitor is None
                else f"monitor: {parsed.schedule.kind} is not driven by a metric, leave it out"
            )
        check_covered(parsed, optimizer, "mmengine")
        self.optimizer, self._monitor, self._on_change = optimizer, monitor, on_change
        # Without `by_epoch`, the Runner passes epochs, even if it trains in iterations.
        known = _clock_of(optimizer, end if by_epoch is False else None)
        self._scheduler = scheduler_of(parsed, optimizer, clock_over(clock, known))
        # The Runner passes metrics only to schedulers that claim to step once per epoch.
        self.by_epoch = what is not None or any(target.metric for target in parsed.also)
        self._record()
        _count_steps(self._scheduler.optimizer)
        reference = ref(self)

        def follow(*_: Any) -> None:
            if (scheduler := reference()) is not None:
                scheduler._advance()

        self._scheduler.optimizer.register_step_post_hook(follow)

    @classmethod
    def build_iter_from_epoch(
        cls, optimizer: Any, *, epoch_length: int, end: int | None = None, **options: Any
    ) -> Any:
        """Called by the Runner instead of the constructor for ``convert_to_iter_based=True``."""
        # A Runner that trains in iterations passes one epoch, whatever its number of epochs.
        length = end * epoch_length if end is not None and end > 1 else None
        known = _clock_of(optimizer, length, epoch_length)
        return cls(optimizer, clock=clock_over(options.pop("clock", None), known), **options)

    @property
    def scheduler(self) -> ScheduleLR:
        """The torch scheduler, which has the `values()` and `settings()` of a document."""
        return self._scheduler

    def step(self, metrics: Mapping[str, Any] | None = None) -> None:
        """Observe the metrics of a validation; without metrics, do nothing.

        Raises:
            OlmError: the monitored metric is missing, or is not a number.
        """
        if metrics is None:
            return
        if self._monitor is not None and self._monitor not in metrics:
            names = ", ".join(map(str, metrics)) or "none"
            raise OlmError(f"monitor: there is no metric {quoted(self._monitor)}, found {names}")
        observe(self._scheduler, metrics, self._monitor)
        self._record()

    def get_last_value(self) -> list[float]:
        """The current rates, one per param group."""
        return self._scheduler.get_last_lr()

    def state_dict(self) -> dict[str, Any]:
        """The schedule and its position: a spec further along, in plain JSON values."""
        return self._scheduler.state_dict()

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go to the position of a state.

        Raises:
            StateError: it is not a state, or has another schedule while ``on_change`` is
                ``"error"``.
        """
        self._scheduler.load_state_dict(state_dict, on_change=self._on_change)
        self._record()

    def _advance(self) -> None:
        # A plateau's own step needs a metric; here metrics arrive separately, through `step`.
        ScheduleLR.step(self._scheduler)
        self._record()

    def _record(self) -> None:
        """Write the scheduled base rate where the wrapper keeps it for the log."""
        if base := getattr(self.optimizer, "base_param_settings", None):
            initial = base.setdefault("initial_lr", base["lr"])
            step = max(self._scheduler.last_epoch, 0)
            base["lr"] = float(self._scheduler.schedule.lr(step, float(initial)))


def _count_steps(optimizer: Any) -> None:
    """Count the optimizer's steps as mmengine's own schedulers do.

    They replace ``optimizer.step`` unless it counts already, and fail if torch has replaced it by a
    function that is no method.
    """
    step, reference = optimizer.step, ref(optimizer)
    if hasattr(step, "_with_counter"):
        return

    @wraps(step)
    def counting(*args: Any, **kwargs: Any) -> Any:
        living: Any = reference()
        living._global_step = getattr(living, "_global_step", -1) + 1
        return step(*args, **kwargs)

    counting._with_counter = True  # type: ignore[attr-defined]  # mmengine looks for this
    optimizer.step = counting


def _clock_of(wrapper: Any, iterations: int | None, epoch_length: int | None = None) -> Clock:
    """The clock of a number of iterations, several of which may make an optimizer step."""
    count = getattr(wrapper, "_accumulative_counts", 1)
    return Clock(
        # The wrapper steps with the remaining iterations at the end of the run, not of an epoch.
        total_steps=-(-iterations // count) if iterations else None,
        steps_per_epoch=epoch_length / count if epoch_length else None,
    )


def __getattr__(name: str) -> Any:
    if name != "OlmScheduler":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    base = import_module("mmengine.optim")._ParamScheduler
    space = {"__doc__": _OlmScheduler.__doc__, "__module__": __name__}
    created = type(name, (_OlmScheduler, base), space)
    # The short name is for configs with `type="OlmScheduler"`, once this class was imported.
    registry = import_module("mmengine.registry").PARAM_SCHEDULERS
    globals()[name] = registry.register_module(name=name, module=created, force=True)
    return created
