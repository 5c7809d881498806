"""Train with transformers on the processes that torchrun starts, and write the results as JSON."""

import json
import sys
from pathlib import Path

if __name__ == "__main__":
    import torch
    from leaving import leave
    from test_transformers import growing, train
    from transformers import Trainer

    from olm.train.hosts.transformers import with_schedule

    folder = Path(sys.argv[1])
    recorder, _, scheduler = train(folder, with_schedule(Trainer, growing))
    world = torch.distributed
    results = {
        "processes": world.get_world_size(),
        "rates": recorder.rates,
        "last_epoch": scheduler.last_epoch,
    }
    (folder / f"rank{world.get_rank()}.json").write_text(json.dumps(results))
    leave()
