"""The specs of the repository."""

from pathlib import Path

import pytest

import olm
from olm.kinds import KINDS

SPECS = sorted(Path(__file__).parents[1].glob("specs/**/*.olm.yaml"))
SCHEMA = Path(__file__).resolve().parents[1] / "schemas" / "schedule.schema.json"
LANGUAGE_SERVER = "# yaml-language-server: $schema="


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.name)
def test_a_spec_loads_and_names_its_schema(path):
    text = path.read_text()
    first, second, *_ = text.splitlines()
    assert first.startswith(LANGUAGE_SERVER)
    assert (path.parent / first.removeprefix(LANGUAGE_SERVER)).resolve() == SCHEMA
    assert second.startswith("# ")
    assert olm.load(path).lr(0, base=0.1) >= 0


def test_there_is_a_spec_of_every_kind():
    own = {path.name: olm.load(path).schedule.kind for path in SPECS if path.parent.name == "kinds"}
    assert own == {f"{kind}.olm.yaml": kind for kind in KINDS}


def rate(name, step, base):
    return olm.load(Path(__file__).parents[1] / f"specs/{name}.olm.yaml").lr(step, base=base)


def test_llama_2_has_its_peak_after_the_warm_up_and_ends_at_a_tenth():
    assert rate("llama-2-7b", 1999, 3e-4) == rate("llama-2-7b", 2000, 3e-4) == 3e-4
    assert rate("llama-2-7b", 251_000, 3e-4) == pytest.approx((3e-4 + 3e-5) / 2)
    assert rate("llama-2-7b", 500_000, 3e-4) == 3e-5


def test_olmo_rises_from_a_tenth_and_falls_to_a_tenth():
    assert rate("olmo-7b", 0, 3e-4) == pytest.approx(3e-5 + 2.7e-4 / 5000)
    assert rate("olmo-7b", 5000, 3e-4) == 3e-4
    assert rate("olmo-7b", 476_837, 3e-4) == 3e-5
    assert 2e12 // (2048 * 2048) == 476_837


@pytest.mark.parametrize("step", [10_000, 123_456, 999_999, 1_000_000])
def test_bert_decays_as_its_code_does_from_the_first_step_on(step):
    assert rate("bert-base", step, 1e-4) == pytest.approx(1e-4 * (1 - step / 1e6), abs=1e-18)


def test_nanogpt_ends_at_a_tenth():
    assert rate("nanogpt-gpt2-124m", 600_000, 6e-4) == 6e-5
