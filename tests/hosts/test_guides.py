"""The code of the guides that need a trainer runs, with the real trainer."""

import pytest

import code_blocks
from olm.checking.guides import guide, guides


@pytest.mark.parametrize("name", [name for name in guides() if guide(name).environment == "hosts"])
def test_the_code_of_a_guide_runs(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code_blocks.run(guide(name).text, tmp_path, f"{name}.md")
