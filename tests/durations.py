"""Valid and invalid durations, and the types that accept them."""

from pydantic import TypeAdapter

from olm.fields import types as fields
from olm.kinds import KINDS

LASTING = ["3%", "0.5%", "100%", "0.02dur", "2ep", "1.5e6sp", "20e9tok", "2E+3ep", "25e-1%"]
LASTING += ["2000st", "20ep-1st", "3%+200st", "1e-5ep-1e-1st+2%", "1ep-9999st", "0ep+1st"]
"""Durations that every type accepts."""

NOTHING = ["0%", "0ep", "0.0dur", "0e5tok"]
"""Durations for numbers that may be 0."""

BACK = ["-3ep", "-0.5%", "-1ep+3st"]
"""Durations for numbers that may be negative."""

REST = ["rest"]
"""Durations for lengths."""

WRONG = [
    *("10 %", "2 epochs", "+3ep", "3", "1e3", "", "ep", "%", ".5dur", "5.%", "03%", "0x3%"),
    *("1_000sp", "3%%", "3% ", " 3%", "3%\n", "2EP", "Rest", "rest ", "1e100%", "３%", "3٪", "2ba"),
    *("rest-1st", "1ep-rest", "1ep+", "20ep-1", "20ep -1st", "1ep--1st", "1ep+1ep+1ep+1ep+1ep"),
]
"""Durations that no type accepts."""

ALL = [*LASTING, *NOTHING, *BACK, *REST, *WRONG]

TAKES = {
    "Steps": [*LASTING, *NOTHING, *REST],
    "PositiveSteps": [*LASTING, *REST],
    "StepIndex": [*LASTING, *NOTHING],
    "PositiveStepIndex": LASTING,
    "shift": [*LASTING, *NOTHING, *BACK],
}
"""The durations that each type accepts; the last type is that of a field of TimeLR."""

TYPES = {name: TypeAdapter(getattr(fields, name)) for name in list(TAKES)[:-1]}
TYPES["shift"] = TypeAdapter(KINDS["TimeLR"].model_fields["shift"].rebuild_annotation())


def schema_of_a_mapping(name: str) -> dict[str, object]:
    """The JSON Schema of a mapping whose values are of a type."""
    draft = {"$schema": "http://json-schema.org/draft-07/schema#", "type": "object"}
    return {**draft, "additionalProperties": TYPES[name].json_schema()}


MAPPING = {f"text {number}": text for number, text in enumerate(ALL)}
"""All durations, each under a key."""


def refused_of(name: str) -> list[str]:
    """The keys in `MAPPING` whose durations a type rejects."""
    return [key for key, text in MAPPING.items() if text not in TAKES[name]]
