"""A process group for the tests of a module, which DeepSpeed forgets afterwards."""

import pytest
import torch.distributed as dist


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """A process group of 1 process for all tests of a module.

    DeepSpeed keeps the first group that it sees in variables of its modules. They are restored, so
    that the next module can have a group of its own.
    """
    from deepspeed.comm import comm
    from deepspeed.utils import groups

    before = [(module, {**vars(module)}) for module in (comm, groups)]
    store = dist.FileStore(str(tmp_path_factory.mktemp("group") / "store"), 1)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": "1"}.items():
            patch.setenv(name, value)
        dist.init_process_group("gloo", store=store, rank=0, world_size=1)
        yield
        dist.destroy_process_group()
    for module, variables in before:
        vars(module).update(variables)
