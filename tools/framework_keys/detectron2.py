"""detectron2: the defaults of its solver."""

from framework_keys import Place, Repository

PLACES = [
    Place(
        Repository("facebookresearch/detectron2", "02b5c4e295e990042a714712c21dc79b731e8833"),
        "constants detectron2/config/defaults.py _C.SOLVER",
        "config.yaml",
        "SOLVER: {BASE_LR: 0.001, <KEYS>}",
    )
]
