"""The files here are programs for torchrun, started by `test_distributed.py`."""

collect_ignore_glob = ["*.py"]
