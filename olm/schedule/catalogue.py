"""Every kind by its name, whether its file or package is imported yet or not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from sys import modules
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from olm.schedule.plugins import PluginError

Model = TypeVar("Model", bound=type[Any])


class Catalogue(Mapping[str, Model]):
    """The models of kinds by the names of the kinds, each imported on first use.

    A kind that is not defined yet is looked up in `families`, the table of most kinds; then in all
    files of the folder, so that a new file is found before the table is generated again; and then
    among the plugins. Iteration yields the kinds of the folder in the order of its files, and then
    those that were defined elsewhere in the order of their definitions, among them each plugin's
    kind that was looked up.

    Args:
        folder: the full name of the package whose modules define kinds.
        families: the module of each kind, without the name of the package.
    """

    def __init__(self, folder: str, families: Mapping[str, str]) -> None:
        self._folder, self._families = folder, families
        self._models: dict[str, Model] = {}
        self._hidden: set[str] = set()
        self._refused: dict[str, PluginError] = {}
        self._complete = False
        self._changes = 0
        self._order: tuple[int, list[str]] = (-1, [])
        """The kinds in order, after this many changes."""

    def __getitem__(self, kind: str) -> Model:
        if (model := self.loaded(kind)) is not None:
            return model
        from olm.schedule.plugins import PluginError

        try:
            return self.plugin(kind)
        except PluginError as error:
            raise KeyError(kind) from error

    def __iter__(self) -> Iterator[str]:
        return iter(self._in_order())

    def __len__(self) -> int:
        return len(self._in_order())

    def __delitem__(self, kind: str) -> None:
        del self._models[kind]
        self._hidden.discard(kind)
        self._changes += 1

    def __repr__(self) -> str:
        return f"<the kinds of {self._folder}>"

    def define(self, kind: str, model: Model) -> Model:
        """Add a model, unless the kind has one; return the model of the kind."""
        if model.__module__ != self._home(kind):
            self._import_family(kind)
        defined = self._models.setdefault(kind, model)
        self._changes += 1
        return defined

    def defined(self) -> tuple[Model, ...]:
        """The models that are defined by now."""
        return tuple(self._models.values())

    def loaded(self, kind: str) -> Model | None:
        """The model of a kind, without plugins that were not looked up yet."""
        if kind not in self._models:
            self._import_family(kind)
        # A name with a dot is a plugin's.
        if kind not in self._models and "." not in kind:
            self._import_all()
        return self._models.get(kind) if kind not in self._hidden else None

    def plugin(self, kind: str) -> Model:
        """The model of a kind that an installed package provides.

        Raises:
            KeyError: no package provides the kind.
            PluginError: the kind cannot be used; the message names the package and the reason.
        """
        from olm.schedule.plugins import PluginError

        if kind in self._refused:
            raise self._refused[kind]
        try:
            return self._load(kind)
        except PluginError as error:
            self._refused[kind] = error
            raise

    def _load(self, kind: str) -> Model:
        from olm.schedule.plugins import in_short, offered

        offer, before = offered(kind), {*self._models}
        try:
            found = offer.load()
        finally:
            self._hide({*self._models} - before)
        names = [name for name, model in self._models.items() if model is found]
        if not names:
            raise offer.refusal(
                f"`{offer.value}` is not a model: it must be a subclass of Schedule"
            )
        if names != [kind]:
            raise offer.refusal(f"the model at `{offer.value}` is of the kind `{names[0]}`")
        model = self._models[kind]
        try:
            # The annotations of its fields are evaluated only now.
            model.model_rebuild()
        except Exception as error:
            del self[kind]
            raise offer.refusal(f"pydantic cannot make its model: {in_short(error)}") from error
        self._hidden.discard(kind)
        self._changes += 1
        return model

    def _hide(self, defined: set[str]) -> None:
        """Hide the kinds of plugins until each is looked up by its own entry point.

        Otherwise the list of kinds would depend on which ones were looked up before. The kinds of a
        module that failed to import are deleted.
        """
        for kind in defined:
            module = self._models[kind].__module__
            if module not in modules:
                del self[kind]
            elif not self._is_own(module):
                self._hidden.add(kind)
                self._changes += 1

    def _home(self, kind: str) -> str | None:
        return f"{self._folder}.{self._families[kind]}" if kind in self._families else None

    def _import_family(self, kind: str) -> None:
        """Import the file of a kind, if the table has it."""
        if home := self._home(kind):
            try:
                import_module(home)
            except ModuleNotFoundError as error:
                # The table is stale: the file has another name now.
                if error.name != home:
                    raise

    def _in_order(self) -> list[str]:
        self._import_all()
        changes, order = self._order
        if changes != self._changes:
            changes = self._changes
            order = [kind for kind in [*self._models] if kind not in self._hidden]
            order.sort(key=self._file)
            self._order = changes, order
        return order

    def _import_all(self) -> None:
        if not self._complete:
            from pkgutil import iter_modules

            for module in iter_modules(import_module(self._folder).__path__):
                import_module(f"{self._folder}.{module.name}")
            self._complete = True

    def _file(self, kind: str) -> tuple[bool, str]:
        module = self._models[kind].__module__
        return (False, module) if self._is_own(module) else (True, "")

    def _is_own(self, module: str) -> bool:
        return module.startswith(f"{self._folder}.")
