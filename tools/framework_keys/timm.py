"""timm: the options of its train.py, in a command line and in the args.yaml that it writes."""

from framework_keys import Place, Repository

_TIMM = Repository("huggingface/pytorch-image-models", "aa4b5850c1543fa488abf260f18390eda46cf85d")

PLACES = [
    Place(
        _TIMM,
        "arguments train.py",
        file,
        text,
    )
    for file, text in (
        ("train.sh", "python train.py --sched cosine --lr 0.1 --epochs 10 <KEYS>"),
        ("args.yaml", "{sched: cosine, lr: 0.1, epochs: 10, lr_k_decay: 1.0, <KEYS>}"),
    )
]
