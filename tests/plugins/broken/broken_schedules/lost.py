"""A module that needs another, which there is not."""

import no_such_module  # noqa: F401  # that is what is wrong
