"""The names whose values a part of a Python statement may change."""

from __future__ import annotations

import ast

CHANGING = frozenset(
    ("append", "clear", "extend", "insert", "pop", "popitem", "remove", "setdefault", "update")
)
"""The methods that change a list or a mapping."""


def changed_name(node: ast.AST) -> str | None:
    """The name whose value a part of a statement may change: by assignment, item or method."""
    match node:
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
            return name
        case ast.Subscript(value=owner, ctx=ast.Store() | ast.Del()):
            return _owner(owner)
        case ast.Call(func=ast.Attribute(value=owner, attr=method)) if method in CHANGING:
            return _owner(owner)
    return None


def _owner(node: ast.expr) -> str | None:
    """The name in whose value an item is, at any depth."""
    while isinstance(node, ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None
