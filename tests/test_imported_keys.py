"""Every key that the code of a framework has is translated, harmless or refused with a reason.

`tools/framework_keys` reads the keys from the code and records them with their defaults.
"""

import pytest

from imported_keys import Imported, is_known, places, with_defaults, without_defaults
from olm.foreign.configs._formats import formats

PLACES = [*places()]
REFUSED_BY_DEFAULT = {"--num_epochs 100"}
"""The length of the one script of diffusers that counts otherwise."""
EACH = pytest.mark.parametrize(
    ("form", "place"), PLACES, ids=[f"{form}-{number}" for number, (form, _) in enumerate(PLACES)]
)


def test_the_keys_of_every_format_are_recorded():
    assert {form for form, _ in PLACES} == {*formats()}


@EACH
def test_a_key_with_its_default_changes_nothing(form, place, tmp_path):
    imported = Imported(form, place, tmp_path)
    assert not isinstance(imported.alone, list), imported.alone
    wrong = imported.wrong(with_defaults(place), lambda outcome: outcome == imported.alone)
    assert [entry for entry, _ in wrong if entry not in REFUSED_BY_DEFAULT] == []
    assert all(is_known(outcome) for _, outcome in wrong)


@EACH
def test_no_key_of_a_framework_is_unknown(form, place, tmp_path):
    imported = Imported(form, place, tmp_path)
    assert imported.wrong(without_defaults(place), is_known) == []


@EACH
def test_a_misspelt_key_is_refused(form, place, tmp_path):
    imported = Imported(form, place, tmp_path)
    for key in ("lr_noize_decay", "warmup_lr_sched"):
        name = key.replace("_", "-") if form in ("timm", "torchvision", "megatron") else key
        assert not is_known(imported.outcome(with_defaults({**place, "defaults": {name: 1}})))
