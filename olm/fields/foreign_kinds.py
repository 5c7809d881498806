"""What a kind that does not exist is in another framework: the hint, and the fix if it is sure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from functools import cache
from typing import Any

from olm.fields.nicknames import (
    COMPOSING,
    FRAMEWORKS,
    NICKNAMES,
    OF_PACKAGES,
    OF_TORCH,
    PACKAGES,
    SURE,
    Peer,
    key,
)
from olm.problem import Fix, listed, nearest, similarity
from olm.text.scalars import plain

MOST_KINDS = 4
"""The most kinds, and the most frameworks, that a hint lists."""

ALMOST = 0.85
"""How similar a misspelled name of another framework is to the right one, as for a fix."""

_FIELD = re.compile(r"`(\w+): (\w+)`")
"""A field with its value, as the tables write it."""

OWN = "olm.train.schedulers."
"""What the name of a class of olm begins with."""


def foreign_kind(name: str, kinds: Collection[str]) -> tuple[str, Fix | None] | None:
    """The hint for a schedule of another framework, and its fix; None if no framework has it.

    A fix is offered only if the name means the same in every framework.

    >>> from olm.kinds import KINDS
    >>> foreign_kind("constant_with_warmup", KINDS)[0]
    'did you mean `RampLR` with `start_factor: 0` and `end_factor: 1`, as in transformers?'
    >>> foreign_kind("torch.optim.lr_scheduler.LinearLR", KINDS)[0]
    'did you mean `LinearFactorLR`, as in torch?'
    >>> foreign_kind("WSDS", KINDS)[0].partition(",")[0]
    'did you mean `WarmupStableDecayLR`'
    >>> foreign_kind("LinaerLR", KINDS)
    """
    package, _, member = name.partition(".")
    if name.startswith(OWN) and name.removeprefix(OWN) in kinds:
        kind = name.removeprefix(OWN)
        return f"did you mean `{kind}`? A kind has no module", Fix(kind, in_quotes=True)
    if package in PACKAGES and member:
        return _of_module(package, name.rpartition(".")[2])
    if key(name) in NICKNAMES and key(name) not in map(str.lower, kinds):
        sure = SURE.get(key(name))
        return _hint(_peers(name)), Fix(sure, in_quotes=True) if sure else None
    peers = _reproduced(name) if name not in kinds else ()
    peers = peers or _peers(_misspelled(name, kinds))
    return (_hint(peers), None) if peers else None


def reading(name: str) -> tuple[Peer, dict[str, Any]] | None:
    """The schedule of a name, with its fields, if there is only one that a spec can say in a kind.

    A framework before the name decides: ``torch.cosine``.

    >>> reading("constant_with_warmup")[1]
    {'start_factor': 0, 'end_factor': 1}
    >>> reading("cosine")
    >>> reading("transformers.cosine")[0].kind, reading("transformers.cosine")[1]
    ('WarmupDecayLR', {'decay': 'cosine'})
    """
    package, _, member = name.rpartition(".")
    peers = NICKNAMES.get(key(member), ())
    if package:
        framework = _framework(package.partition(".")[0]).lower()
        peers = tuple(peer for peer in peers if peer.framework.lower() == framework)
    found = {(peer.kind, peer.fields): peer for peer in peers}
    if len(found) != 1:
        return None
    (peer,) = found.values()
    fields = dict(_FIELD.findall(peer.fields))
    if _FIELD.sub("", peer.fields).strip(" and"):
        return None
    return peer, {field: plain(value) for field, value in fields.items()}


def readable(name: str) -> list[str]:
    """The name with each framework before it whose schedule `reading` has.

    >>> readable("wsd")
    ['transformers.wsd', 'olmo_core.wsd']
    """
    packages = {framework: package for package, framework in OF_PACKAGES.items()}
    peers = NICKNAMES.get(key(name), ())
    names = [f"{packages.get(peer.framework, peer.framework.lower())}.{name}" for peer in peers]
    return [each for each in names if reading(each)]


def _misspelled(name: str, kinds: Collection[str]) -> str:
    """Another framework's name that a name is almost, if no kind is as near; empty if none is."""
    kind = nearest(name, kinds, ALMOST)
    least = similarity(name, kind) if kind else ALMOST
    own = {kind.lower() for kind in kinds}
    theirs = [word for word in _known_elsewhere() if word.lower() not in own]
    # What is less similar than the nearest kind is not looked at for long.
    near = nearest(name, [kind, *theirs] if kind else theirs, least)
    return near if near and near != kind else ""


@cache
def _known_elsewhere() -> list[str]:
    """The names of all schedules of other frameworks, in alphabetical order."""
    from olm.fields.reproduced import reproduced

    names = {word for peers in reproduced().values() for words in peers.values() for word in words}
    return sorted(names.union(NICKNAMES))


def _of_module(package: str, name: str) -> tuple[str, Fix | None]:
    """The hint for a name with a module of another framework before it, and its fix."""
    if package == "torch" and name in OF_TORCH:
        kind = OF_TORCH[name]
        return _hint((Peer("torch", kind),)), Fix(kind, in_quotes=True)
    own = [peer for peer in _peers(name) if peer.framework.lower() == _framework(package).lower()]
    peers = tuple(own) or _peers(name)
    return _hint(peers) if peers else "`olm kinds` lists them", None


def _framework(package: str) -> str:
    """The framework of a package, whose distribution may be called otherwise."""
    return OF_PACKAGES.get(package, package)


def _peers(name: str) -> tuple[Peer, ...]:
    """The schedules of a name: those listed by hand, and those that these do not cover."""
    by_hand = NICKNAMES.get(key(name), ())
    return (*by_hand, *(peer for peer in _reproduced(name) if not _is_covered(peer, by_hand)))


def _is_covered(peer: Peer, by_hand: Iterable[Peer]) -> bool:
    """Whether a framework's schedule is among those listed by hand, with one of its kinds."""
    kinds = f"`{peer.kind}`{peer.fields}"
    return any(
        peer.framework == other.framework and f"`{other.kind}`" in kinds for other in by_hand
    )


def _reproduced(name: str) -> tuple[Peer, ...]:
    """The kinds that reproduce a schedule of this name, as the tests compare them.

    The first of a framework is the most particular: the kind that reproduces the fewest names,
    and composes none.
    """
    found: dict[str, list[str]] = {}
    for kind, distribution in _reproducers().get(name, ()):
        found.setdefault(FRAMEWORKS.get(distribution, distribution), []).append(kind)
    return tuple(
        Peer(framework, first, _also(rest)) for framework, (first, *rest) in found.items()
    )[:MOST_KINDS]


@cache
def _reproducers() -> dict[str, list[tuple[str, str]]]:
    """The kinds that reproduce each schedule of a name, the most particular first, and whose."""
    from olm.fields.reproduced import reproduced

    table = reproduced()

    def generality(kind: str) -> tuple[bool, int]:
        return kind in COMPOSING, sum(map(len, table[kind].values()))

    found: dict[str, list[tuple[str, str]]] = {}
    for kind in sorted(table, key=generality):
        for distribution, names in table[kind].items():
            for name in names:
                found.setdefault(name, []).append((kind, distribution))
    return found


def _also(kinds: Sequence[str]) -> str:
    """The other kinds of a schedule's compositions, as what the first kind is with."""
    names = [f"`{kind}`" for kind in kinds[:MOST_KINDS]]
    return f"alone or with {listed(names, 'and')}" if names else ""


def _hint(peers: tuple[Peer, ...]) -> str:
    """The kind of each framework's schedule, with the name of the framework."""
    kinds: dict[str, list[str]] = {}
    for peer in peers:
        joined = ", " if peer.fields.startswith("alone") else " with "
        kind = f"`{peer.kind}`{joined}{peer.fields}" if peer.fields else f"`{peer.kind}`"
        kinds.setdefault(kind, []).append(peer.framework)
    ways = [f"{kind}, as in {' and '.join(names)}" for kind, names in kinds.items()]
    return f"did you mean {'; or '.join(ways)}?"
