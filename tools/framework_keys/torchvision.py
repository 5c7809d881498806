"""torchvision: the options of its reference for classification."""

from framework_keys import Place, Repository

PLACES = [
    Place(
        Repository("pytorch/vision", "main"),
        "arguments references/classification/train.py",
        "train.sh",
        "torchrun train.py --lr 0.1 --epochs 10 --lr-scheduler cosineannealinglr "
        "--lr-warmup-epochs 2 --lr-warmup-method linear <KEYS>",
    )
]
