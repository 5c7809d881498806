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


def read(data: str | bytes, name: str) -> Source:
    """The assignments of a Python file: constants, lists, mappings, and arithmetic with numbers.

    A call of ``dict`` is a mapping. Any other call is a mapping of its keyword arguments, with its
    name under ``()`` and its positional arguments under ``*``: what a format knows is translated,
    and nothing is called. The assignments in a function are a mapping under ``name()``. What is not
    a constant, such as a value that an ``if`` assigns, is an error only where a format asks for it.

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
    return Source(text, "python", values_of(tree, text, places), places)


def values_of(
    tree: ast.Module,
    text: Text,
    places: NotedPlaces,
    located: Callable[[Place], Place] = lambda place: place,
) -> dict[Any, Any]:
    """The values that the assignments of a module have, with their places.

    Args:
        tree: the module.
        text: its text.
        places: where the places are noted.
        located: where a place of the text is in the file that it is from.

    Raises:
        SpecError: it is nested too deep.
    """
    reader = _Reader(text, places, located)
    try:
        for statement in tree.body:
            reader.statement(statement)
    except RecursionError:
        message = "a configuration must not be nested so deep"
        raise SpecError([Problem("depth", message, place=Place(text.file, 1, 1, 1))]) from None
    return reader.scopes[0]


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
    def __init__(self, text: Text, places: NotedPlaces, located: Callable[[Place], Place]) -> None:
        self.text = text
        self.lines = text.content.splitlines()
        self.places = places
        self.located = located
        self.scopes: list[dict[Any, Any]] = [{}]
        self.prefix: Path = ()

    def statement(self, node: ast.stmt) -> None:
        """Take an assignment. Names that another statement may change are no constants."""
        match node:
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    self._target(target, value, node)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                self._target(target, value, node)
            case ast.AugAssign(target=ast.Name(id=name), op=op, value=value):
                former = ast.copy_location(ast.Name(name, ast.Load()), node)
                changed = ast.copy_location(ast.BinOp(former, op, value), node)
                self._assign(name, changed, node)
            case ast.Expr(value=ast.Call() as call):
                self._assign(f"call at line {call.lineno}", call, node)
                self._forget(call)
            case ast.Return(value=ast.expr() as value):
                self._assign("return", value, node)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                self._inside(node)
            case ast.With(body=body):
                for inner in body:
                    self.statement(inner)
            case ast.If(test=ast.Compare(left=ast.Name(id="__name__")), body=body):
                for inner in body:
                    self.statement(inner)
            case _:
                self._forget(node)

    def _target(self, target: ast.expr, value: ast.expr, node: ast.stmt) -> None:
        """Assign a value to a name, to several names, or to a key of a mapping."""
        match target:
            case ast.Name(id=name):
                self._assign(name, value, node)
            case ast.Attribute():
                self._assign(ast.unparse(target), value, node)
            case ast.Tuple(elts=names) | ast.List(elts=names):
                values = value.elts if isinstance(value, ast.Tuple | ast.List) else []
                if len(names) == len(values):
                    for name_, value_ in zip(names, values, strict=True):
                        self._target(name_, value_, node)
                else:
                    self._forget(node)
            case ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value=str() as key)):
                owner = self._named(name)
                if not isinstance(owner, dict):
                    self._forget(node)
                    return
                place = self._place(node)
                self.places.keys[(*self.prefix, name, key)] = place
                made = self._value(value, (*self.prefix, name, key))
                self.scopes[-1][name] = {**owner, key: made}
            case _:
                self._forget(node)

    def _assign(self, name: str, value: ast.expr, node: ast.stmt) -> None:
        path = (*self.prefix, name)
        self.places.keys[path] = self._place(node)
        self.scopes[-1][name] = self._value(value, path)

    def _named(self, name: str) -> Any:
        """The value of a name in the innermost scope that has it."""
        return next((scope[name] for scope in reversed(self.scopes) if name in scope), None)

    def _inside(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> None:
        """Take the assignments in a function or class, whose arguments are no constants."""
        arguments: dict[Any, Any] = {}
        if not isinstance(node, ast.ClassDef):
            every = [argument for argument in ast.walk(node.args) if isinstance(argument, ast.arg)]
            place = self._place(node)
            message = "`{}` is an argument, whose value the file does not specify"
            arguments = {
                each.arg: _unknown(each.arg, message.format(each.arg), place) for each in every
            }
        key, prefix = f"{node.name}()", self.prefix
        self.places.keys[(*prefix, key)] = self._place(node)
        self.prefix = (*prefix, key)
        self.scopes += [arguments, {}]
        for inner in node.body:
            self.statement(inner)
        found = self.scopes.pop()
        self.scopes.pop()
        self.prefix = prefix
        if found:
            self.scopes[-1][key] = found

    def _forget(self, node: ast.AST) -> None:
        """Let the names that a statement may change be no constants any more."""
        for inner in ast.walk(node):
            name = _changed_name(inner)
            known = self._named(name) if name else None
            if name and (isinstance(inner, ast.Name) or _is_container(known)):
                assert isinstance(inner, ast.expr)
                message = f"this may change `{name}`, and nothing in a configuration is run"
                self.scopes[-1][name] = _unknown(name, message, self._place(inner))

    def _value(self, node: ast.expr, path: Path) -> Any:
        place = self._place(node)
        self.places.values[path] = place
        self.places.keys.setdefault(path, place)
        match node:
            case ast.Constant(value=bool() | int() | float() | str() | None):
                return node.value
            case ast.List(elts=items) | ast.Tuple(elts=items):
                return [self._value(item, (*path, index)) for index, item in enumerate(items)]
            case ast.Dict():
                return self._mapping(node, path)
            case ast.Call(func=ast.Name(id="dict"), args=[], keywords=keywords):
                made = self._keywords(keywords, path)
                return self._code(node) if SPREAD in made else made
            case ast.Call():
                return self._call(node, path)
            case ast.Name(id=name):
                known = self._named(name)
                unknown = known is None and not any(name in scope for scope in self.scopes)
                return Code(f"the name {name}", place) if unknown else known
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

    def _mapping(self, node: ast.Dict, path: Path) -> Any:
        made: dict[Any, Any] = {}
        for key, value in zip(node.keys, node.values, strict=True):
            name = self._value(value if key is None else key, path)
            if key is None and _is_container(name) and isinstance(name, dict):
                made.update(name)
            elif key is None or not isinstance(name, str | int):
                return self._code(node)
            else:
                self.places.keys[(*path, name)] = self._place(key)
                made[name] = self._value(value, (*path, name))
        return made

    def _keywords(self, keywords: list[ast.keyword], path: Path) -> dict[str, Any]:
        """The keyword arguments of a call; those of a mapping that is not known under ``**``."""
        made: dict[str, Any] = {}
        for keyword in keywords:
            name = keyword.arg or SPREAD
            self.places.keys[(*path, name)] = self._place(keyword)
            value = self._value(keyword.value, (*path, name))
            if keyword.arg is None and _is_container(value) and isinstance(value, dict):
                made.update(value)
            else:
                made[name] = value
        return made

    def _call(self, node: ast.Call, path: Path) -> dict[str, Any]:
        called = ast.unparse(node.func)
        arguments = [self._value(arg, (*path, "*", i)) for i, arg in enumerate(node.args)]
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
        line = self.lines[node.lineno - 1 : node.lineno]
        start = line[0].encode()[: node.col_offset].decode(errors="ignore") if line else ""
        same = node.end_lineno == node.lineno
        stop = node.end_col_offset if same and node.end_col_offset else None
        end = line[0].encode()[:stop].decode(errors="ignore") if line else ""
        return self.located(Place(self.text.file, node.lineno, len(start) + 1, len(end) + 1))


def _unknown(name: str, message: str, place: Place) -> Code:
    return Code(name, place, Problem("needs-code", message, place=place))


CHANGING = frozenset(
    ("append", "clear", "extend", "insert", "pop", "popitem", "remove", "setdefault", "update")
)
"""The methods that change a list or a mapping."""


def _changed_name(node: ast.AST) -> str | None:
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


def _is_container(value: object) -> bool:
    """Whether a value is a list or a mapping, and not a call."""
    return isinstance(value, list) or (isinstance(value, dict) and "()" not in value)


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
