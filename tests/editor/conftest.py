"""Every server is started once, for all tests."""

import pytest

from .servers import JSON, MODULES, NODE, YAML, JsonEditor, YamlEditor


@pytest.fixture(scope="session", autouse=True)
def _installed():
    if not (NODE.exists() and MODULES.is_dir()):
        pytest.fail("the language servers are not there: `python3 tools/editors.py` runs these")


@pytest.fixture(scope="session", params=[*YAML, *JSON], ids=[*YAML, "json"])
def editor(request, _installed):
    """The editors, one after another."""
    with YamlEditor(request.param) if request.param in YAML else JsonEditor(request.param) as one:
        yield one
