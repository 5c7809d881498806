"""The values of Python expressions that are constants, or made of constants."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from typing import Any

from olm.foreign.configs._code import Code
from olm.foreign.configs._places import NotedPlaces
from olm.problem import Path, Place
from olm.text.source import Text

SPREAD = "**"
"""The key of a mapping whose keyword arguments are not known."""

MOST_DIGITS = 400
"""The most digits of a number that an operation may give."""

_BINARY: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
}


class Expressions:
    """The values of expressions, with the names that the statements before them assigned."""

    def __init__(self, text: Text, places: NotedPlaces, located: Callable[[Place], Place]) -> None:
        self.text = text
        self.lines = text.content.splitlines()
        self.places = places
        self.located = located
        self.scopes: list[dict[Any, Any]] = [{}]

    def value(self, node: ast.expr, path: Path) -> Any:
        """The value of an expression, whose place is noted under a path."""
        place = self.place(node)
        self.places.values[path] = place
        self.places.keys.setdefault(path, place)
        match node:
            case ast.Constant(value=bool() | int() | float() | str() | None):
                return node.value
            case ast.List(elts=items) | ast.Tuple(elts=items):
                return [self.value(item, (*path, index)) for index, item in enumerate(items)]
            case ast.Dict():
                return self._mapping(node, path)
            case ast.Call(func=ast.Name(id="dict"), args=[], keywords=keywords):
                made = self._keywords(keywords, path)
                return self._code(node) if SPREAD in made else made
            case ast.Call():
                return self._call(node, path)
            case ast.Name(id=name):
                known = self.named(name)
                unknown = known is None and not any(name in scope for scope in self.scopes)
                return Code(f"the name {name}", place) if unknown else known
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                number = self.value(operand, path)
                return -number if _is_number(number) else self._code(node)
            case ast.BinOp():
                return self._operation(node, path)
            case ast.Subscript(value=owner, slice=index):
                return self._item(node, owner, index, path)
            case ast.Attribute():
                return Code(ast.unparse(node), place)
        return self._code(node)

    def _mapping(self, node: ast.Dict, path: Path) -> Any:
        made: dict[Any, Any] = {}
        for key, value in zip(node.keys, node.values, strict=True):
            name = self.value(value if key is None else key, path)
            if key is None and is_container(name) and isinstance(name, dict):
                made.update(name)
            elif key is None or not isinstance(name, str | int):
                return self._code(node)
            else:
                self.places.keys[(*path, name)] = self.place(key)
                made[name] = self.value(value, (*path, name))
        return made

    def _keywords(self, keywords: list[ast.keyword], path: Path) -> dict[str, Any]:
        """The keyword arguments of a call; those of a mapping that is not known under ``**``."""
        made: dict[str, Any] = {}
        for keyword in keywords:
            name = keyword.arg or SPREAD
            self.places.keys[(*path, name)] = self.place(keyword)
            value = self.value(keyword.value, (*path, name))
            if keyword.arg is None and is_container(value) and isinstance(value, dict):
                made.update(value)
            else:
                made[name] = value
        return made

    def _call(self, node: ast.Call, path: Path) -> dict[str, Any]:
        called = ast.unparse(node.func)
        arguments = [self.value(arg, (*path, "*", i)) for i, arg in enumerate(node.args)]
        positional = {"*": arguments} if arguments else {}
        return {"()": called, **positional, **self._keywords(node.keywords, path)}

    def _operation(self, node: ast.BinOp, path: Path) -> Any:
        left, right = (self.value(side, path) for side in (node.left, node.right))
        if isinstance(node.op, ast.Pow) and _is_number(left) and _is_number(right):
            if abs(right) <= MOST_DIGITS and abs(left) <= 10**6:
                return self._number(node, lambda: left**right)
            return self._code(node)
        function = _BINARY.get(type(node.op))
        if function is None or not (_is_number(left) and _is_number(right)):
            both_lists = isinstance(left, list) and isinstance(right, list)
            return left + right if both_lists and function is operator.add else self._code(node)
        return self._number(node, lambda: function(left, right))

    def _number(self, node: ast.expr, compute: Callable[[], Any]) -> Any:
        try:
            number = compute()
        except (ArithmeticError, ValueError):
            return self._code(node)
        return number if abs(number) < 10**MOST_DIGITS else self._code(node)

    def _item(self, node: ast.expr, owner: ast.expr, index: ast.expr, path: Path) -> Any:
        container, key = self.value(owner, path), self.value(index, path)
        try:
            return container[key]
        except (LookupError, TypeError):
            return self._code(node)

    def _code(self, node: ast.expr) -> Code:
        return Code(ast.unparse(node), self.place(node))

    def named(self, name: str) -> Any:
        """The value of a name in the innermost scope that has it."""
        return next((scope[name] for scope in reversed(self.scopes) if name in scope), None)

    def place(self, node: ast.stmt | ast.expr | ast.keyword) -> Place:
        """The place of a part of the text; `ast` counts columns in bytes."""
        line = self.lines[node.lineno - 1 : node.lineno]
        start = line[0].encode()[: node.col_offset].decode(errors="ignore") if line else ""
        same = node.end_lineno == node.lineno
        stop = node.end_col_offset if same and node.end_col_offset else None
        end = line[0].encode()[:stop].decode(errors="ignore") if line else ""
        return self.located(Place(self.text.file, node.lineno, len(start) + 1, len(end) + 1))


def is_container(value: object) -> bool:
    """Whether a value is a list or a mapping, and not a call."""
    return isinstance(value, list) or (isinstance(value, dict) and "()" not in value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
