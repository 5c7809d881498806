"""Learning-rate schedules as data: read a spec, ask it for rates, build its torch scheduler.

>>> import olm
>>> spec = olm.loads("{kind: LinearLR, total_steps: 4}")
>>> spec.lr([0, 1, 4], base=0.5)
array([0.5  , 0.375, 0.   ])

Importing olm imports neither torch nor numpy; what needs them does when it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike

    from torch.optim import Optimizer

    from olm import kinds as kinds
    from olm import train as train
    from olm.foreign.configs._importing import import_config as import_config
    from olm.problem import OlmError as OlmError
    from olm.problem import Problem as Problem
    from olm.problem import RateError as RateError
    from olm.problem import SpecError as SpecError
    from olm.problem import StateError as StateError
    from olm.schedule.clock import Clock as Clock
    from olm.schedule.schedule import Schedule as Schedule
    from olm.spec.agreement import OnChange
    from olm.spec.branching import branch as branch
    from olm.spec.load import load as load
    from olm.spec.load import loads as loads
    from olm.spec.multiplier import multiplier as multiplier
    from olm.spec.spec import Spec as Spec
    from olm.spec.spec import parse as parse
    from olm.train.adoption import adopt as adopt
    from olm.train.saving import save_state as save_state
    from olm.train.schedulers import ScheduleLR

    __version__: str

_HOMES = {
    "Clock": "olm.schedule.clock",
    "import_config": "olm.foreign.configs._importing",
    "branch": "olm.spec.branching",
    "multiplier": "olm.spec.multiplier",
    "load": "olm.spec.load",
    "loads": "olm.spec.load",
    "OlmError": "olm.problem",
    "Problem": "olm.problem",
    "RateError": "olm.problem",
    "SpecError": "olm.problem",
    "StateError": "olm.problem",
    "Schedule": "olm.schedule.schedule",
    "Spec": "olm.spec.spec",
    "parse": "olm.spec.spec",
    "save_state": "olm.train.saving",
    "adopt": "olm.train.adoption",
}

_PACKAGES = ("kinds", "train")
"""The packages that are part of the public interface."""

__all__ = ["build", *_HOMES]

_FILES = frozenset(
    {
        "__init__.py",
        "__main__.py",
        "__pycache__",
        "checking",
        "cli",
        "drawing",
        "fields",
        "foreign",
        "kinds",
        "problem.py",
        "py.typed",
        "recipes",
        "schedule",
        "schema",
        "spec",
        "text",
        "train",
    }
)
"""What this package has in its folder. Files of others mean that they share it, and its name."""


def build(
    spec: Spec | Schedule | Mapping[str, Any] | str | PathLike[str],
    optimizer: Optimizer | Mapping[str, Optimizer],
    *,
    at: str = "",
    clock: Clock | Mapping[str, Any] | None = None,
    on_change: OnChange = "error",
    only_if_stepped: bool = False,
    base: Literal["spec", "any"] = "spec",
    step: int | None = None,
) -> ScheduleLR:
    """The torch scheduler of a spec: `olm.train.schedulers.build`, from a file too.

    Args:
        spec: the path of a YAML, JSON or TOML file, a Spec, a Schedule, or a mapping, any of which
            may be a state.
        optimizer: the optimizer whose rates are set, or several by name, such as
            ``{"muon": muon, "adamw": adamw}``; see `olm.train.Optimizers`.
        at: where in the file the schedule stands, such as ``optim.schedules[0]``, if it is not the
            whole.
        clock: what the run is, if the spec has durations such as ``3%`` or ``2ep``: a Clock, or a
            mapping such as ``{"total_steps": 160}``. It wins over the spec's own.
        on_change: what to do if a state, this one or one loaded later, is of another schedule, of
            other base rates or of a run of another length: raise an ``"error"``, go on with the
            ``"checkpoint"``'s, or with this one's, ``"spec"``.
        only_if_stepped: whether ``step()`` advances only if the optimizer has stepped since.
        base: whether the optimizer must have the numbers that the spec lists under ``optimizer``
            and ``param_groups``, ``"spec"``, or may have any.
        step: the updates already taken, for a checkpoint that has a step and no scheduler state.
            ``step=400`` is a state's ``last_epoch`` 400: the rates are those of step 400 at once,
            also if the optimizer loads its state afterwards. The base numbers are each group's
            ``initial_lr`` (``initial_<key>`` for a target), else those of the document. 0 is a new
            run.

    Raises:
        OSError: the file cannot be read.
        OlmError: `step` is no number of updates, is given for a state or a metric-driven schedule,
            or a param group's base number is unknown.
        SpecError: the spec is not valid, or has durations that no clock counts.
        StateError: the state is of other base rates, of another number of param groups, or of a run
            of another length.
        RateError: a base rate, or the first rate, is negative or not finite.
        ValueError: `at` is not written with dots and indices, or `spec` is no file.
    """
    from olm.spec.load import as_spec
    from olm.train.schedulers import build

    spec = as_spec(spec, at=at)
    return build(
        spec,
        optimizer,
        clock=clock,
        on_change=on_change,
        only_if_stepped=only_if_stepped,
        base=base,
        step=step,
    )


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    if name in _PACKAGES:
        return import_module(f"olm.{name}")
    if name == "__version__":
        return _version()
    raise AttributeError(f"module 'olm' has no attribute {name!r}")


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("olm-schedules")
    except PackageNotFoundError:
        return "unknown"


def __dir__() -> list[str]:
    module = (name for name in globals() if name.startswith("__") and name.endswith("__"))
    return sorted({*module, *__all__, *_PACKAGES, "__version__"})


def _check_folder() -> None:
    """Warn if another package called `olm` has files in this folder."""
    from os import listdir

    try:
        unknown = {*listdir(__path__[0])} - _FILES  # noqa: PTH208 - pathlib would be imported
    except OSError:
        # The package is in a zip file.
        return
    if unknown:
        from olm.cli.shared_folder import explanation, modules

        if foreign := modules(unknown):
            import warnings

            warnings.warn_explicit(explanation(foreign), RuntimeWarning, __path__[0], 1)


_check_folder()
