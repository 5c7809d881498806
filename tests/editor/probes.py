"""The requests of editors, the expected answers, and the servers that fall short."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, get_args

import yaml

import olm
from olm.fields.types import step_fields
from olm.kinds import KINDS
from olm.schedule.batches import BatchRamp, BatchStage
from olm.schedule.clock import Clock
from olm.schema.documentation import field_docs, plain, summary
from olm.spec.hyperparameters import SUGGESTED
from olm.spec.root_keys import KEYS as ROOT_KEYS
from olm.spec.targets import Target
from olm.text.document import read

from ..durations import LASTING, WRONG
from .servers import Editor

KINDS_AS_TOLD = {kind: plain(summary(model)) for kind, model in KINDS.items()}

KEYS = {kind: {*model.model_fields} - {"kind", "per_step"} for kind, model in KINDS.items()}
"""The keys that people write; only states have `per_step`."""

WRITTEN_KEYS = {"$schema", *(name for name in ROOT_KEYS if ROOT_KEYS[name].where != "state")}
"""The root keys that people write; the others are those of states."""

ROOT_AND_KEYS = {kind: keys | WRITTEN_KEYS for kind, keys in KEYS.items()}

STEPS = {kind: step_fields(model) for kind, model in KINDS.items() if step_fields(model)}

CLOCK_AS_TOLD = {name: plain(text) for name, text in field_docs(Clock).items()}

RAMP_AS_TOLD = {name: plain(text) for name, text in field_docs(BatchRamp).items()}

STAGE_AS_TOLD = {
    name.removesuffix("_"): plain(text) for name, text in field_docs(BatchStage).items()
}

TARGET_AS_TOLD = {name: plain(text) for name, text in field_docs(Target).items() if name != "bases"}

NO_DURATIONS = [text for text in WRONG if text not in ("1e3", "3%\n")]
"""The invalid durations that PyYAML writes on one line, and as strings for the servers too."""

NO_STEPS = "must be a whole number or a duration such as 3%, 2ep or 20e9tok"

DECAYS = {*get_args(KINDS["WarmupStableDecayLR"].model_fields["decay"].annotation)}


@dataclass(frozen=True)
class Worse:
    """How a server falls short: in words, and the result of the probe."""

    words: str
    seen: Any


@dataclass(frozen=True)
class Probe:
    """A request about a document in YAML or JSON, and the expected answer.

    In a document | is the cursor, « and » mark a problem, KIND and FIELD for every
    kind and each of its fields.
    """

    what: str
    ask: Callable[[Editor, str], Any]
    expected: Any
    yaml: str
    json: str
    worse: Mapping[str, Worse] = field(default_factory=dict)
    """By the language or the name of the server."""

    def text(self, editor: Editor) -> str:
        """The document in the language of the editor."""
        return self.yaml if editor.language == "yaml" else self.json

    def worse_in(self, editor: Editor) -> Worse | None:
        """How the server of the editor falls short, if it does."""
        return self.worse.get(editor.name, self.worse.get(editor.language))


def told(editor: Editor, text: str) -> dict[str, str]:
    """The completions, with their descriptions."""
    return {one.label: one.documentation for one in editor.complete(text)}


def told_of_keys(editor: Editor, text: str) -> dict[str, str]:
    """The completed keys, with the first paragraph of their descriptions: the units may follow."""
    offered = (one for one in editor.complete(text) if one.is_key)
    return {one.label: one.documentation.partition("\n\n")[0] for one in offered}


def values(editor: Editor, text: str) -> set[str]:
    """The completions."""
    return {one.label for one in editor.complete(text)}


def keys(editor: Editor, text: str) -> dict[str, set[str]]:
    """The keys that are completed in every kind."""
    offered = {kind: editor.complete(text.replace("KIND", kind)) for kind in KINDS}
    return {kind: {one.label for one in all_ if one.is_key} for kind, all_ in offered.items()}


def alone(editor: Editor, text: str) -> dict[str, list[str]]:
    """The keys that are completed without a colon and value, in every kind."""
    found = {}
    for kind in KINDS:
        for one in editor.complete(text.replace("KIND", kind)):
            if one.is_key and not re.search(rf'{re.escape(one.label)}"?:', one.applied):
                found.setdefault(kind, []).append(one.label)
    return found


def written(editor: Editor, text: str, path: tuple[str | int, ...] = ()) -> list[str]:
    """The kinds of the snippets, each of which makes the document a valid spec.

    The kind is read at `path` in what a snippet has written.
    """
    found = []
    for one in editor.complete(text):
        if one.label in KINDS:
            assert olm.loads(one.applied)
            value = read(one.applied, "").value
            for part in path:
                value = value[part]
            assert value["kind"] == one.label
            found.append(one.label)
    return found


def unsaid_of_kinds(editor: Editor, text: str) -> dict[str, str]:
    """The hover texts of kinds that lack the summary of the kind."""
    said = {kind: editor.hover(text.replace("KIND", kind)) for kind in KINDS}
    return {kind: text for kind, text in said.items() if KINDS_AS_TOLD[kind] not in text}


def unsaid_of_keys(editor: Editor, text: str) -> dict[str, str]:
    """The hover texts of fields that lack the docstring of the field."""
    unsaid = {}
    for kind, model in KINDS.items():
        for name, sentences in field_docs(model).items():
            said = editor.hover(text.replace("KIND", kind).replace("FIELD", name))
            if plain(sentences) not in said:
                unsaid[f"{kind}.{name}"] = said
    return unsaid


def unsaid_of_steps(editor: Editor, text: str) -> dict[str, str]:
    """The hover texts of numbers of steps that lack the units."""
    unsaid = {}
    for kind, names in STEPS.items():
        for name in names:
            said = editor.hover(text.replace("KIND", kind).replace("FIELD", name))
            if "In optimizer steps, or as 3% (of the run), 2ep (epochs)" not in said:
                unsaid[f"{kind}.{name}"] = said
    return unsaid


def unsaid_of_clock(editor: Editor, text: str) -> dict[str, str]:
    """The hover texts of keys of a clock that lack the docstring of the key."""
    return _without_sentence(editor, text, CLOCK_AS_TOLD)


def unsaid_of_target(editor: Editor, text: str) -> dict[str, str]:
    """The hover texts of keys of a target that lack the docstring of the key."""
    return _without_sentence(editor, text, TARGET_AS_TOLD)


def _without_sentence(editor: Editor, text: str, sentences: Mapping[str, str]) -> dict[str, str]:
    shown = {name: editor.hover(text.replace("FIELD", name)) for name in sentences}
    return {name: text for name, text in shown.items() if sentences[name] not in text}


def complaints_of_steps(
    editor: Editor, text: str, durations: list[str]
) -> dict[str, list[tuple[str, str]]]:
    """The problems in a schedule of every kind whose numbers of steps are a duration."""
    found = {}
    for duration in durations:
        children = [_steps_as(duration, kind) for kind in STEPS]
        value = {"kind": "ChainedScheduler", "schedulers": children}
        document = yaml.safe_dump(value) if editor.language == "yaml" else json.dumps(value)
        complaints = editor.complaints(document)
        found[duration] = [
            (yaml.safe_load(document[one.start : one.end]), one.message) for one in complaints
        ]
    return found


def _steps_as(duration: str, kind: str) -> dict[str, Any]:
    example = KINDS[kind].examples[-1]
    lists = {name for name, value in example.items() if isinstance(value, list)}
    steps = {name: [duration] if name in lists else duration for name in STEPS[kind]}
    return {"kind": kind, **example, **steps}


def wrong(editor: Editor, text: str) -> tuple[str, list[str]]:
    """The document with marks around each problem, and the first sentence of each message."""
    complaints = editor.complaints(text.replace("«", "").replace("»", ""))
    marked = text.replace("«", "").replace("»", "")
    for one in reversed(complaints):
        marked = f"{marked[: one.start]}«{marked[one.start : one.end]}»{marked[one.end :]}"
    return marked, [one.message.partition(". ")[0].rstrip(".") for one in complaints]


def mistake(
    what: str, messages: str, yaml: str, json: str, worse: Mapping[str, Worse] | None = None
) -> Probe:
    """A probe of a document with errors, and the messages, separated by semicolons."""
    expected = messages.split("; ") if messages else []
    return Probe(what, wrong, expected, yaml, json, worse or {})


IN_LIST = "kind: ChainedScheduler\nschedulers:\n  - "
IN_JSON = '{"kind": "ChainedScheduler", "schedulers": ['

IN_TARGET = "kind: HoldLR\nalso:\n  - set: eps\n    schedule:\n      "
TARGET_IN_JSON = '{"kind": "HoldLR", "also": [{"set": "eps", "schedule": '

PROBES = [
    Probe(
        "every kind after `kind:`, each with its sentence",
        told,
        KINDS_AS_TOLD,
        "kind: |",
        '{"kind": |}',
    ),
    Probe(
        "every kind after `kind:` in a list of schedules",
        told,
        KINDS_AS_TOLD,
        f"{IN_LIST}kind: |",
        IN_JSON + '{"kind": |}]}',
    ),
    Probe(
        "a snippet for every kind in an empty document, which makes a valid spec",
        written,
        [*KINDS],
        "|",
        "|",
    ),
    Probe(
        "a snippet for every kind below a comment, once a letter is written",
        written,
        [*KINDS],
        "# A run.\nL|",
        "\n|",
    ),
    Probe(
        "a snippet for every kind in an empty item of a list",
        partial(written, path=("schedulers", 0)),
        [*KINDS],
        f"{IN_LIST}|",
        IN_JSON + "|]}",
    ),
    Probe(
        "a snippet for every kind in the second item of a list, once a letter is written",
        partial(written, path=("schedulers", 1)),
        [*KINDS],
        f"{IN_LIST}kind: HoldLR\n  - L|\n",
        IN_JSON + '{"kind": "HoldLR"}, |]}',
    ),
    Probe(
        "a snippet for every kind as the one child of a schedule",
        partial(written, path=("scheduler",)),
        [*KINDS],
        "kind: RepeatLR\nperiod: 20\nscheduler:\n  |\n",
        '{"kind": "RepeatLR", "period": 20, "scheduler": |}',
    ),
    Probe(
        "the keys of the kind and those of a root that people write, in every kind",
        keys,
        ROOT_AND_KEYS,
        "kind: KIND\n|",
        '{"kind": "KIND", |}',
    ),
    Probe(
        "the keys of the kind and no others, in a list of schedules",
        keys,
        KEYS,
        f"{IN_LIST}kind: KIND\n    |",
        IN_JSON + '{"kind": "KIND", |}]}',
    ),
    Probe(
        "a key with what comes after it, for every key of every kind",
        alone,
        {},
        "kind: KIND\n|",
        '{"kind": "KIND", |}',
    ),
    Probe(
        "the keys of a clock, each with its sentence",
        told_of_keys,
        CLOCK_AS_TOLD,
        "kind: HoldLR\nclock:\n  |",
        '{"kind": "HoldLR", "clock": {|}}',
    ),
    Probe(
        "the keys of a batch ramp, each with its sentence",
        told_of_keys,
        RAMP_AS_TOLD,
        "kind: HoldLR\nclock:\n  batch_ramp:\n    |",
        '{"kind": "HoldLR", "clock": {"batch_ramp": {|}}}',
    ),
    Probe(
        "the keys of a stage of the batch, each with its sentence",
        told_of_keys,
        STAGE_AS_TOLD,
        "kind: HoldLR\nclock:\n  batch_stages:\n    - |",
        '{"kind": "HoldLR", "clock": {"batch_stages": [{|}]}}',
    ),
    Probe(
        "every kind after `kind:` in a target",
        told,
        KINDS_AS_TOLD,
        f"{IN_TARGET}kind: |",
        TARGET_IN_JSON + '{"kind": |}}]}',
    ),
    Probe(
        "a snippet for every kind as the schedule of a target",
        partial(written, path=("also", 0, "schedule")),
        [*KINDS],
        f"{IN_TARGET}|\n",
        TARGET_IN_JSON + "|}]}",
    ),
    Probe(
        "the keys of the kind and no others, in a target",
        keys,
        KEYS,
        f"{IN_TARGET}kind: KIND\n      |",
        TARGET_IN_JSON + '{"kind": "KIND", |}}]}',
    ),
    Probe(
        "the keys of a target, without those of a state, each with its sentence",
        told,
        TARGET_AS_TOLD,
        "kind: HoldLR\nalso:\n  - |",
        '{"kind": "HoldLR", "also": [{|}]}',
    ),
    Probe(
        "the hyperparameters after `set:`",
        values,
        {*SUGGESTED},
        "kind: HoldLR\nalso:\n  - set: |",
        '{"kind": "HoldLR", "also": [{"set": |}]}',
    ),
    Probe(
        "the sentence of the key of a target, with the mouse over it",
        unsaid_of_target,
        {},
        "kind: HoldLR\nalso:\n  - |FIELD: 1\n",
        '{"kind": "HoldLR", "also": [{"|FIELD": 1}]}',
    ),
    Probe(
        "the choices of `decay:`",
        values,
        DECAYS,
        "kind: WarmupStableDecayLR\ndecay: |",
        '{"kind": "WarmupStableDecayLR", "decay": |}',
    ),
    Probe(
        "the sentence of the kind, with the mouse over it, for every kind",
        unsaid_of_kinds,
        {},
        "kind: |KIND\n",
        '{"kind": "|KIND"}',
    ),
    Probe(
        "the sentence of the kind, in a list of schedules",
        unsaid_of_kinds,
        {},
        f"{IN_LIST}kind: |KIND\n",
        IN_JSON + '{"kind": "|KIND"}]}',
    ),
    Probe(
        "the sentences of the key, with the mouse over it, for every field",
        unsaid_of_keys,
        {},
        "kind: KIND\n|FIELD: 1\n",
        '{"kind": "KIND", "|FIELD": 1}',
    ),
    Probe(
        "the sentences of the key, in a list of schedules",
        unsaid_of_keys,
        {},
        f"{IN_LIST}kind: KIND\n    |FIELD: 1\n",
        IN_JSON + '{"kind": "KIND", "|FIELD": 1}]}',
    ),
    Probe(
        "in which units it may be, with the mouse over a number of steps",
        unsaid_of_steps,
        {},
        "kind: KIND\n|FIELD: 3%\n",
        '{"kind": "KIND", "|FIELD": "3%"}',
    ),
    Probe(
        "the sentence of the key of a clock, with the mouse over it",
        unsaid_of_clock,
        {},
        "kind: HoldLR\nclock:\n  |FIELD: 9\n",
        '{"kind": "HoldLR", "clock": {"|FIELD": 9}}',
    ),
    Probe(
        "nothing, where a number of steps is said in another unit, in every kind",
        partial(complaints_of_steps, durations=LASTING),
        {text: [] for text in LASTING},
        "",
        "",
    ),
    Probe(
        "one problem for each number of steps that is no duration, in every kind",
        partial(complaints_of_steps, durations=NO_DURATIONS),
        {text: [(text, NO_STEPS)] * sum(map(len, STEPS.values())) for text in NO_DURATIONS},
        "",
        "",
    ),
]
"""Completion and hovering."""

MISTAKES = [
    mistake(
        "a kind misspelt: one problem",
        "Value is not accepted",
        "kind: «LinearRL»\ntotal_steps: 5\n",
        '{"kind": «"LinearRL"», "total_steps": 5}',
    ),
    mistake(
        "a kind misspelt in a list",
        "Value is not accepted",
        f"{IN_LIST}kind: «LinearRL»\n    total_steps: 5\n  - kind: HoldLR\n",
        IN_JSON + '{"kind": «"LinearRL"», "total_steps": 5}, {"kind": "HoldLR"}]}',
    ),
    mistake(
        "a key too many",
        "Property warmup is not allowed",
        "kind: LinearLR\ntotal_steps: 5\n«warmup»: 3\n",
        '{"kind": "LinearLR", "total_steps": 5, «"warmup"»: 3}',
    ),
    mistake(
        "a key too many in a list",
        "Property warmup is not allowed",
        f"{IN_LIST}kind: LinearLR\n    total_steps: 5\n    «warmup»: 3\n",
        IN_JSON + '{"kind": "LinearLR", "total_steps": 5, «"warmup"»: 3}]}',
    ),
    mistake(
        "a required key misspelt: at the key, and that it is missing",
        'Missing property "total_steps"; Property total_step is not allowed',
        "«k»ind: LinearLR\n«total_step»: 5\n",
        '«{»"kind": "LinearLR", «"total_step"»: 5}',
    ),
    mistake(
        "a string for a number of steps",
        NO_STEPS,
        'kind: LinearLR\ntotal_steps: «"5"»\n',
        '{"kind": "LinearLR", "total_steps": «"5"»}',
    ),
    mistake(
        "a string for a number of steps in a list",
        NO_STEPS,
        f'{IN_LIST}kind: LinearLR\n    total_steps: «"5"»\n',
        IN_JSON + '{"kind": "LinearLR", "total_steps": «"5"»}]}',
    ),
    mistake(
        "half a step",
        NO_STEPS,
        "kind: LinearLR\ntotal_steps: «2.5»\n",
        '{"kind": "LinearLR", "total_steps": «2.5»}',
    ),
    mistake(
        "a string for a rate",
        "Incorrect type",
        'kind: LinearLR\ntotal_steps: 5\nend_lr: «"0.1"»\n',
        '{"kind": "LinearLR", "total_steps": 5, "end_lr": «"0.1"»}',
    ),
    mistake(
        "half a step where there may be none",
        NO_STEPS,
        "kind: CyclicLR\nbase_lr: 0\nmax_lr: 1\nstep_size_down: «2.5»\n",
        '{"kind": "CyclicLR", "base_lr": 0, "max_lr": 1, "step_size_down": «2.5»}',
    ),
    mistake(
        "null where there may be none",
        "",
        "kind: CyclicLR\nbase_lr: 0\nmax_lr: 1\nstep_size_down: null\n",
        '{"kind": "CyclicLR", "base_lr": 0, "max_lr": 1, "step_size_down": null}',
    ),
    mistake(
        "what is left of a run, as the step at which something happens",
        NO_STEPS,
        "kind: MultiStepLR\nmilestones:\n  - 50%\n  - «rest»\n",
        '{"kind": "MultiStepLR", "milestones": ["50%", «"rest"»]}',
    ),
    mistake(
        "a share of nothing, where there must be a step",
        NO_STEPS,
        "kind: LinearLR\ntotal_steps: «0%»\n",
        '{"kind": "LinearLR", "total_steps": «"0%"»}',
    ),
    mistake(
        "a key of a clock misspelt",
        "Property total_step is not allowed",
        "kind: HoldLR\nclock:\n  «total_step»: 100\n",
        '{"kind": "HoldLR", "clock": {«"total_step"»: 100}}',
    ),
    mistake(
        "the length of a run that is a share of itself",
        "must be a whole number or a duration such as 90ep or 300e9tok",
        "kind: HoldLR\nclock:\n  total_steps: «3%»\n",
        '{"kind": "HoldLR", "clock": {"total_steps": «"3%"»}}',
    ),
    mistake(
        "a clock in a list",
        "Property clock is not allowed",
        f"{IN_LIST}kind: HoldLR\n    «clock»:\n      total_steps: 9\n",
        IN_JSON + '{"kind": "HoldLR", «"clock"»: {"total_steps": 9}}]}',
    ),
    mistake(
        "durations of a state that are none",
        "must be a duration such as 3%, 2ep or 20e9tok",
        "kind: HoldLR\ndurations:\n  - [total_steps, «10 %»]\n",
        '{"kind": "HoldLR", "durations": [["total_steps", «"10 %"»]]}',
    ),
    mistake(
        "a value out of range",
        "Value is below the minimum of 1",
        "kind: LinearLR\ntotal_steps: «0»\n",
        '{"kind": "LinearLR", "total_steps": «0»}',
    ),
    mistake(
        "a value out of range in a list",
        "Value is below the minimum of 1",
        f"{IN_LIST}kind: LinearLR\n    total_steps: «0»\n",
        IN_JSON + '{"kind": "LinearLR", "total_steps": «0»}]}',
    ),
    mistake(
        "no such choice",
        "Value is not accepted",
        "kind: WarmupStableDecayLR\nwarmup_steps: 1\ndecay_steps: 3\ntotal_steps: 9\n"
        "decay: «liner»\n",
        '{"kind": "WarmupStableDecayLR", "warmup_steps": 1, "decay_steps": 3, "total_steps": 9, '
        '"decay": «"liner"»}',
    ),
    mistake(
        "a field missing: at the first letter of its schedule",
        'Missing property "total_steps"',
        "«k»ind: LinearLR\nend_lr: 0.1\n",
        '«{»"kind": "LinearLR", "end_lr": 0.1}',
    ),
    mistake(
        "a field missing in a list",
        'Missing property "total_steps"',
        f"{IN_LIST}kind: HoldLR\n  - «k»ind: LinearLR\n    end_lr: 0.1\n",
        IN_JSON + '{"kind": "HoldLR"}, «{»"kind": "LinearLR", "end_lr": 0.1}]}',
    ),
    mistake(
        "no kind",
        'Missing property "kind"',
        "«t»otal_steps: 5\n",
        '«{»"total_steps": 5}',
    ),
    mistake(
        "nothing where a schedule belongs",
        "Incorrect type",
        f"{IN_LIST}«»\n  - kind: HoldLR\n",
        IN_JSON + '«null», {"kind": "HoldLR"}]}',
    ),
    mistake(
        "a number where the one child of a schedule belongs",
        "Incorrect type",
        "kind: RepeatLR\nperiod: 20\nscheduler: «3»\n",
        '{"kind": "RepeatLR", "period": 20, "scheduler": «3»}',
    ),
    mistake(
        "a key of the root in a list",
        "Property last_epoch is not allowed",
        f"{IN_LIST}kind: HoldLR\n    «last_epoch»: 3\n",
        IN_JSON + '{"kind": "HoldLR", «"last_epoch"»: 3}]}',
    ),
    mistake(
        "a kind misspelt in a target",
        "Value is not accepted",
        f"{IN_TARGET}kind: «LinearRL»\n      total_steps: 5\n",
        TARGET_IN_JSON + '{"kind": «"LinearRL"», "total_steps": 5}}]}',
    ),
    mistake(
        "a key too many in the schedule of a target",
        "Property warmup is not allowed",
        f"{IN_TARGET}kind: HoldLR\n      «warmup»: 3\n",
        TARGET_IN_JSON + '{"kind": "HoldLR", «"warmup"»: 3}}]}',
    ),
    mistake(
        "a key of a target misspelt",
        "Property group is not allowed",
        "kind: HoldLR\nalso:\n  - set: eps\n    «group»: head\n    schedule: {kind: HoldLR}\n",
        '{"kind": "HoldLR", "also": [{"set": "eps", «"group"»: "head", '
        '"schedule": {"kind": "HoldLR"}}]}',
    ),
    mistake(
        "a hyperparameter that is several numbers",
        "must be a key of the param groups that is a number, or betas[0]",
        "kind: HoldLR\nalso:\n  - set: «betas»\n    schedule: {kind: HoldLR}\n",
        '{"kind": "HoldLR", "also": [{"set": «"betas"», "schedule": {"kind": "HoldLR"}}]}',
    ),
    mistake(
        "groups of a value",
        "Property groups is not allowed",
        "kind: HoldLR\nalso:\n  - value: ema\n    «groups»: head\n    schedule: {kind: HoldLR}\n",
        '{"kind": "HoldLR", "also": [{"value": "ema", «"groups"»: "head", '
        '"schedule": {"kind": "HoldLR"}}]}',
    ),
    mistake(
        "a target that sets nothing",
        'Missing property "set"',
        "kind: HoldLR\nalso:\n  - «s»chedule: {kind: HoldLR}\n",
        '{"kind": "HoldLR", "also": [«{»"schedule": {"kind": "HoldLR"}}]}',
    ),
    mistake(
        "a target without a schedule",
        'Missing property "schedule"',
        "kind: HoldLR\nalso:\n  - «s»et: eps\n",
        '{"kind": "HoldLR", "also": [«{»"set": "eps"}]}',
    ),
    mistake(
        "a hyperparameter of a param group that is true or false",
        "Property nesterov is not allowed",
        "kind: HoldLR\nparam_groups:\n  - name: a\n    «nesterov»: 1\n",
        '{"kind": "HoldLR", "param_groups": [{"name": "a", «"nesterov"»: 1}]}',
    ),
    mistake(
        "a key twice",
        "Map keys must be unique",
        "kind: LinearLR\ntotal_steps: 3\n«total_steps: 4\n»",
        '{"kind": "LinearLR", «"total_steps"»: 3, «"total_steps"»: 4}',
        {"json": Worse("warns at both", ["Duplicate object key"] * 2)},
    ),
    mistake(
        "several mistakes at once",
        f"Value is not accepted; {NO_STEPS}; Property warmup is not allowed",
        f"{IN_LIST}kind: «LinearRL»\n    total_steps: 5\n"
        '  - kind: LinearLR\n    total_steps: «"5"»\n    «warmup»: 1\n',
        IN_JSON + '{"kind": «"LinearRL"», "total_steps": 5}, '
        '{"kind": "LinearLR", "total_steps": «"5"», «"warmup"»: 1}]}',
    ),
    mistake(
        "two rules at odds: a JSON Schema cannot say it, `olm check` does",
        "",
        "kind: WarmupCosineScheduler\nwarmup_steps: 9\ntotal_steps: 5\n",
        '{"kind": "WarmupCosineScheduler", "warmup_steps": 9, "total_steps": 5}',
    ),
]
"""Documents with errors, and the messages."""
