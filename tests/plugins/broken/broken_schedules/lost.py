"""A module that imports a missing module."""

import no_such_module  # noqa: F401  # that is what is wrong
