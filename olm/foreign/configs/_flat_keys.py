"""Which keys matter in a file or a command line that mixes a trainer's keys with a script's."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from olm.foreign.configs._config import Keys
from olm.problem import only_near

_ABOUT_THE_SCHEDULE = re.compile(
    r"(?:^|_)(?:lr|lrs|learning|warmup|warm|sched\w*|decay|anneal\w*|cycles?|epochs?|batch|accum\w*"
    r"|max_steps?|total_steps?|train_steps?|training_steps)(?:_|$)"
)


def unrelated(keys: Iterable[object], known: Keys) -> Iterator[str]:
    """The keys of a script beside those of a trainer, such as its data set, that change no rate.

    >>> known = Keys("a trainer", translated=frozenset({"warmup_steps"}))
    >>> [*unrelated(["dataset_name", "lr_noise", "layer_decay", "warmupsteps"], known)]
    ['dataset_name']

    Keys with a word of schedules in their names, and those that are almost a key that matters, may
    be mistakes.
    """
    for key in map(str, keys):
        listed = key in known.translated | known.harmless or key in known.refused
        suspect = _ABOUT_THE_SCHEDULE.search(key) or only_near(key, known.translated)
        if not listed and not suspect:
            yield key
