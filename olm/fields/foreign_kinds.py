"""What a kind that does not exist is in another framework: the hint, and the fix if it is sure."""

from __future__ import annotations

from collections.abc import Collection

from olm.fields.nicknames import NICKNAMES, OF_TORCH, PACKAGES, SURE, Peer, key
from olm.problem import Fix

MOST_KINDS = 4
"""The most kinds that a hint lists for a schedule of another framework."""


def foreign_kind(name: str, kinds: Collection[str]) -> tuple[str, Fix | None] | None:
    """The hint for a schedule of another framework, and its fix; None if no framework has it.

    A fix is offered only if the name means the same in every framework.

    >>> from olm.kinds import KINDS
    >>> foreign_kind("constant_with_warmup", KINDS)[0]
    'did you mean `RampLR` with `start_factor: 0` and `end_factor: 1`, as in transformers?'
    >>> foreign_kind("torch.optim.lr_scheduler.LinearLR", KINDS)[0]
    'did you mean `LinearFactorLR`, as in torch?'
    >>> foreign_kind("LinaerLR", KINDS)
    """
    package, _, member = name.partition(".")
    if package in PACKAGES and member:
        return _of_module(package, name.rpartition(".")[2])
    if key(name) in NICKNAMES and key(name) not in map(str.lower, kinds):
        sure = SURE.get(key(name))
        return _hint(NICKNAMES[key(name)]), Fix(sure, in_quotes=True) if sure else None
    peers = _reproduced(name) if name not in kinds else ()
    return (_hint(peers), None) if peers else None


def _of_module(package: str, name: str) -> tuple[str, Fix | None]:
    """The hint for a name with a module of another framework before it, and its fix."""
    if package == "torch" and name in OF_TORCH:
        kind = OF_TORCH[name]
        return _hint((Peer("torch", kind),)), Fix(kind, in_quotes=True)
    peers = NICKNAMES.get(key(name)) or _reproduced(name)
    return _hint(peers) if peers else "`olm kinds` lists them", None


def _reproduced(name: str) -> tuple[Peer, ...]:
    """The kinds that reproduce a schedule of this name, as the tests compare them."""
    from olm.fields.reproduced import reproduced

    return tuple(
        Peer(framework, kind)
        for kind, peers in reproduced().items()
        for framework, names in peers.items()
        if name in names
    )[:MOST_KINDS]


def _hint(peers: tuple[Peer, ...]) -> str:
    """The kind of each framework's schedule, with the name of the framework."""
    kinds: dict[str, list[str]] = {}
    for peer in peers:
        kind = f"`{peer.kind}` with {peer.fields}" if peer.fields else f"`{peer.kind}`"
        kinds.setdefault(kind, []).append(peer.framework)
    ways = [f"{kind}, as in {' and '.join(names)}" for kind, names in kinds.items()]
    return f"did you mean {'; or '.join(ways)}?"
