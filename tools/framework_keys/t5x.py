"""t5x: the parameters of its schedule."""

from framework_keys import Place, Repository

PLACES = [
    Place(
        Repository("google-research/t5x", "cc342d419ec3e3e9c4bf1df33c82330cafdc1e16"),
        "signature t5x/utils.py create_learning_rate_scheduler",
        "config.gin",
        "utils.create_learning_rate_scheduler:\n  base_learning_rate = 0.01\n  <KEYS>\n",
    )
]
