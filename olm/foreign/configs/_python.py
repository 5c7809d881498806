"""Configurations in Python, read without running them: assignments of constants, in order."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from typing import Any, NoReturn

from olm.foreign.configs._places import NotedPlaces
from olm.foreign.configs._source import Source, text_of
from olm.problem import Path, Place, Problem, SpecError
from olm.text.source import Text

MOST_DIGITS = 400
"""The most digits of a number that an operation may give."""

_BINARY: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
}


def read(data: str | bytes, name: str) -> Source:
    """The assignments of a Python file: constants, lists, mappings, and arithmetic with numbers.

    A call of ``dict`` is a mapping. Any other call is a mapping of its keyword arguments, with its
    name under ``()`` and its positional arguments under ``*``: what a format knows is translated,
    and nothing is called. What else is not a constant, such as a function, is left out; it is an
    error only where a format asks for it.

    Raises:
        SpecError: the text is not Python, or is too large.
    """
    text = text_of(data, name)
    places = NotedPlaces(text)
    try:
        tree = ast.parse(text.content)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = getattr(error, "lineno", None) or 1
        place = Place(name, line, 1, len(text.line(line)) + 1)
        reason = getattr(error, "msg", None) or "it is nested too deep"
        message = f"this is not Python: {reason}"
        raise SpecError([Problem("syntax", message, place=place)]) from None
    reader = _Reader(text, places)
    try:
        for statement in tree.body:
            reader.statement(statement)
    except RecursionError:
        text_ = "a configuration must not be nested so deep"
        raise SpecError([Problem("depth", text_, place=Place(name, 1, 1, 1))]) from None
    return Source(text, "python", reader.values, places)


class Code:
    """What is no constant: what it is, for a message, and where."""

    def __init__(self, what: str, place: Place, problem: Problem | None = None) -> None:
        self.what = what
        self.place = place
        self.problem = problem
        """What a format that asks for it reports; by default that it would have to be run."""

    def __repr__(self) -> str:
        return f"Code({self.what!r})"


class _Reader:
    def __init__(self, text: Text, places: NotedPlaces) -> None:
        self.text = text
        self.places = places
        self.values: dict[Any, Any] = {}

    def statement(self, node: ast.stmt) -> None:
        """Take an assignment to a name at the top of the file; skip everything else."""
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                self._assign(name, value, node)
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                self._assign(name, value, node)
            case ast.Expr(value=ast.Call() as call):
                key = f"call at line {call.lineno}"
                self._assign(key, call, node)

    def _assign(self, name: str, value: ast.expr, node: ast.stmt) -> None:
        self.places.keys[(name,)] = self._place(node)
        self.values[name] = self._value(value, (name,))

    def _value(self, node: ast.expr, path: Path) -> Any:
        place = self._place(node)
        self.places.values[path] = place
        self.places.keys.setdefault(path, place)
        match node:
            case ast.Constant(value=bool() | int() | float() | str() | None):
                return node.value
            case ast.List(elts=items) | ast.Tuple(elts=items):
                return [self._value(item, (*path, index)) for index, item in enumerate(items)]
            case ast.Dict(keys=keys, values=values):
                return self._mapping(keys, values, path)
            case ast.Call(func=ast.Name(id="dict"), args=[], keywords=keywords):
                return self._keywords(keywords, path)
            case ast.Call():
                return self._call(node, path)
            case ast.Name(id=name):
                return self.values.get(name, Code(f"the name {name}", place))
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                number = self._value(operand, path)
                return -number if _is_number(number) else self._code(node)
            case ast.BinOp():
                return self._operation(node, path)
            case ast.Subscript(value=owner, slice=index):
                return self._item(node, owner, index, path)
            case ast.Attribute():
                return Code(ast.unparse(node), place)
        return self._code(node)

    def _mapping(self, keys: list[ast.expr | None], values: list[ast.expr], path: Path) -> Any:
        made: dict[Any, Any] = {}
        for key, value in zip(keys, values, strict=True):
            if not (isinstance(key, ast.Constant) and isinstance(key.value, str | int)):
                continue
            self.places.keys[(*path, key.value)] = self._place(key)
            made[key.value] = self._value(value, (*path, key.value))
        return made

    def _keywords(self, keywords: list[ast.keyword], path: Path) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for keyword in keywords:
            if keyword.arg is not None:
                self.places.keys[(*path, keyword.arg)] = self._place(keyword)
                made[keyword.arg] = self._value(keyword.value, (*path, keyword.arg))
        return made

    def _call(self, node: ast.Call, path: Path) -> dict[str, Any]:
        called = ast.unparse(node.func)
        arguments = [self._value(one, (*path, "*", i)) for i, one in enumerate(node.args)]
        positional = {"*": arguments} if arguments else {}
        return {"()": called, **positional, **self._keywords(node.keywords, path)}

    def _operation(self, node: ast.BinOp, path: Path) -> Any:
        left, right = (self._value(side, path) for side in (node.left, node.right))
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
        container, key = self._value(owner, path), self._value(index, path)
        try:
            return container[key]
        except (LookupError, TypeError):
            return self._code(node)

    def _code(self, node: ast.expr) -> Code:
        return Code(ast.unparse(node), self._place(node))

    def _place(self, node: ast.stmt | ast.expr | ast.keyword) -> Place:
        """The place of a part of the text; `ast` counts columns in bytes."""
        line = self.text.content.splitlines()[node.lineno - 1 : node.lineno]
        start = line[0].encode()[: node.col_offset].decode(errors="ignore") if line else ""
        same = node.end_lineno == node.lineno
        stop = node.end_col_offset if same and node.end_col_offset else None
        end = line[0].encode()[:stop].decode(errors="ignore") if line else ""
        return Place(self.text.file, node.lineno, len(start) + 1, len(end) + 1)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def refuse(code: Code) -> NoReturn:
    """Refuse what only running it could tell.

    Raises:
        SpecError: always.
    """
    if code.problem is not None:
        raise SpecError([code.problem])
    text = f"`{code.what:.60}` would have to be run, and nothing in a configuration is run"
    raise SpecError([Problem("needs-code", text, place=code.place)])
