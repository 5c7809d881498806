"""Configurations in Python, read without running them: assignments of constants, in order."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from olm.foreign.configs._code import unknown
from olm.foreign.configs._places import NotedPlaces
from olm.foreign.configs._python_changes import changed_name
from olm.foreign.configs._python_expressions import Expressions, is_container
from olm.foreign.configs._source import Source, text_of
from olm.problem import Path, Place, Problem, SpecError
from olm.text.source import Text


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


class _Reader(Expressions):
    def __init__(self, text: Text, places: NotedPlaces, located: Callable[[Place], Place]) -> None:
        super().__init__(text, places, located)
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
                owner = self.named(name)
                if not isinstance(owner, dict):
                    self._forget(node)
                    return
                place = self.place(node)
                self.places.keys[(*self.prefix, name, key)] = place
                made = self.value(value, (*self.prefix, name, key))
                self.scopes[-1][name] = {**owner, key: made}
            case _:
                self._forget(node)

    def _assign(self, name: str, value: ast.expr, node: ast.stmt) -> None:
        path = (*self.prefix, name)
        self.places.keys[path] = self.place(node)
        self.scopes[-1][name] = self.value(value, path)

    def _inside(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> None:
        """Take the assignments in a function or class, whose arguments are no constants."""
        arguments: dict[Any, Any] = {}
        if not isinstance(node, ast.ClassDef):
            every = [argument for argument in ast.walk(node.args) if isinstance(argument, ast.arg)]
            place = self.place(node)
            message = "`{}` is an argument, whose value the file does not specify"
            arguments = {
                each.arg: unknown(each.arg, message.format(each.arg), place) for each in every
            }
        key, prefix = f"{node.name}()", self.prefix
        self.places.keys[(*prefix, key)] = self.place(node)
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
            name = changed_name(inner)
            known = self.named(name) if name else None
            if name and (isinstance(inner, ast.Name) or is_container(known)):
                assert isinstance(inner, ast.expr)
                message = f"this may change `{name}`, and nothing in a configuration is run"
                self.scopes[-1][name] = unknown(name, message, self.place(inner))
