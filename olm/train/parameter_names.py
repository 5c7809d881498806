"""The parameters of a model, by names without those of the wrappers around its modules."""

from __future__ import annotations

from dataclasses import dataclass

from torch.nn import Module, Parameter
from torch.nn.parameter import is_lazy

from olm.problem import OlmError

WRAPPERS = frozenset({"_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"})
"""What torch.compile, FullyShardedDataParallel and checkpoint_wrapper call a module in them."""


@dataclass(frozen=True)
class Parameters:
    """The parameters of a model, each once, in the order of ``named_parameters()``."""

    by_name: dict[str, Parameter]
    """The parameters, each under its first name."""
    aliases: dict[str, str]
    """The other names of shared parameters, each with the first name."""
    flattened: bool
    """Whether FullyShardedDataParallel has made every parameter one-dimensional."""


def parameters_of(model: Module) -> Parameters:
    """The parameters of a model, in DDP, FSDP, ``torch.compile`` or none of them.

    >>> from torch import nn
    >>> inner = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2, bias=False))
    >>> inner[1].weight = inner[0].weight
    >>> parameters = parameters_of(nn.DataParallel(inner))
    >>> list(parameters.by_name), parameters.aliases
    (['0.weight', '0.bias'], {'1.weight': '0.weight'})

    Raises:
        TypeError: the argument is not a module.
        OlmError: the model has no parameter, or none of its own any more, or a lazy one.
    """
    if not isinstance(model, Module):
        raise TypeError(f"model must be a torch Module, found {type(model).__name__}")
    flattened = any("_fsdp_wrapped_module" in name for name, _ in model.named_modules())
    by_name: dict[str, Parameter] = {}
    aliases: dict[str, str] = {}
    names: dict[int, str] = {}
    for raw, parameter in _unwrapped(model).named_parameters(remove_duplicate=False):
        name = ".".join(part for part in raw.split(".") if part not in WRAPPERS)
        first = names.setdefault(id(parameter), name)
        if first == name:
            by_name[name] = parameter
        else:
            aliases[name] = first
    _check(by_name)
    return Parameters(by_name, aliases, flattened)


def _unwrapped(model: Module) -> Module:
    """The model inside the wrappers that hold it and nothing else, such as DDP's ``module``."""
    while len(held := [name for name, _ in model.named_children()]) == 1:
        own = any(True for _ in model.parameters(recurse=False))
        if own or held[0] not in {"module", *WRAPPERS}:
            break
        model = model.get_submodule(held[0])
    return model


def _check(by_name: dict[str, Parameter]) -> None:
    if not by_name:
        raise OlmError("the model has no parameters")
    for name, parameter in by_name.items():
        if name.endswith("_flat_param"):
            raise OlmError(
                f"{name}: FullyShardedDataParallel has joined parameters into one, so none has a "
                "name of its own: use fully_shard, or use_orig_params=True"
            )
        if is_lazy(parameter):
            raise OlmError(f"{name} has no shape yet: run the lazy module once before")
