"""Types of fields that few documents have, imported when a value of them is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from pydantic_core import CoreSchema, core_schema

from olm.fields.errors import null


def there(value: Any) -> Any:
    """The value of a key, unless that is null."""
    if value is None:
        raise null()
    return value


def imported(module: str, name: str) -> Callable[..., Any]:
    """A function whose module is imported when it is called: few documents need it."""
    return lambda *arguments: getattr(import_module(module), name)(*arguments)


class ImportedType:
    """A type whose module is imported when a value of it is read: few documents have one."""

    def __init__(
        self,
        module: str,
        name: str,
        reader: str,
        schema: Mapping[str, Any] | None = None,
        shape: Callable[[Any], Any] = lambda item: item,
    ) -> None:
        """A type by the module that defines it.

        Args:
            module: the module.
            name: the name of the type.
            reader: the name of the function that validates a value.
            schema: the JSON Schema, without the fields of a model.
            shape: the type in a signature, such as a list of the type itself.
        """
        self.module, self.name, self.reader = module, name, reader
        self.schema, self.shape = schema or {}, shape

    def load(self) -> Any:
        """The type itself."""
        return getattr(import_module(self.module), self.name)

    def __or__(self, nothing: None) -> ImportedType:
        # A field without a value has its default, which is not validated; null is refused.
        return self

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> CoreSchema:
        read = imported(self.module, self.reader)
        return core_schema.no_info_before_validator_function(
            lambda value: read(there(value)), core_schema.any_schema()
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: Any) -> dict[str, Any]:
        return dict(self.schema)
