"""Random configurations of other frameworks have the rates that these computed, or are refused."""

import json
from collections import Counter
from pathlib import Path

import pytest

import olm
from olm.problem import SpecError

FILES = sorted((Path(__file__).parent / "imports").glob("*/drawn.json"))

REFUSALS = {"between-steps", "unsupported-key", "metric-rule"}
"""The codes for what a spec cannot say, as opposed to a configuration that is not understood."""


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.parent.name)
def test_a_random_configuration_has_the_rates_of_its_framework_or_is_refused(path, tmp_path):
    recorded = json.loads(path.read_text(encoding="utf-8"))
    file, outcomes = tmp_path / f"config{recorded['suffix']}", Counter()
    for drawn in recorded["configurations"]:
        file.write_text(drawn["text"], encoding="utf-8")
        outcomes[outcome(file, drawn, path.parent.name, recorded["tolerance"])] += 1
    wrong = {text for text in outcomes if text not in ("exact", "refused")}
    assert not wrong
    assert outcomes["exact"] >= 0.7 * outcomes.total()


def outcome(file, drawn, name, tolerance):
    """What became of a configuration: "exact", "refused", or what is wrong."""
    text = f"{drawn['text']}{drawn['given']}"
    try:
        made = olm.import_config(file, **drawn["given"])
    except SpecError as refusal:
        fine = "error" in drawn or refusal.problems[0].code in REFUSALS
        return "refused" if fine else f"{refusal}\n{text}"
    if "error" in drawn or made.format != name:
        return f"{drawn.get('error', made.format)}\n{text}"
    base = dict(made.spec.optimizer)["lr"]
    rates = [made.spec.lr(step, base) for step in range(len(drawn["rates"]))]
    same = rates == pytest.approx(drawn["rates"], rel=0, abs=tolerance * base)
    return "exact" if same else f"{rates}\n{drawn['rates']}\n{text}"
