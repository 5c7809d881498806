"""What torch saves, without its tensors: files, and folders of distributed checkpoints."""

from __future__ import annotations

import io
import os
import pickle
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path as FilePath
from types import ModuleType
from typing import IO, Any
from zipfile import ZIP_STORED, ZipFile

import torch

from olm.foreign.inert_pickle import inert_values, stand_in
from olm.problem import StateError, clipped

resource: ModuleType | None
try:
    import resource
except ImportError:  # not on Windows
    resource = None

LARGEST_PICKLE = 32 << 20
"""The most bytes that values may take beside their tensors: some hundred thousand tensors."""

MEMORY = 384 << 20
"""The most memory that reading may take, beyond twice the size of what is read."""

_GLOBAL = re.compile(r"GLOBAL ([\w.]+)|Can only build Tensor, .*: ([\w.]+)")


def load(path: FilePath) -> Any:
    """A file that torch saved, or a folder of torch's distributed checkpoints, without its tensors.

    No code that is in it is run.

    Raises:
        OSError: it cannot be read.
        StateError: it is damaged, or there is code in it.
    """
    if path.is_dir():
        with _bounded_memory(_size_of(path)):
            return _distributed(path)
    with path.open("rb") as file, _bounded_memory(os.fstat(file.fileno()).st_size):
        zipped = file.read(2) == b"PK"
        with _damage_reported():
            if zipped:
                _check_sizes(file, os.fstat(file.fileno()).st_size)
            # Without reading the tensors of a large model, where the format allows it.
            return torch.load(path, map_location="cpu", weights_only=True, mmap=zipped)


def load_plain(path: FilePath) -> Any:
    """A file that torch saved, with stand-ins for its objects and tensors, which are not built.

    Raises:
        OSError: it cannot be read.
        StateError: it is no such file, or is damaged.
    """
    with path.open("rb") as file:
        return inert_values(file)


@contextmanager
def _damage_reported() -> Iterator[None]:
    """Raise a StateError for whatever torch and pickle raise over a damaged file."""
    try:
        yield
    except (OSError, StateError):
        raise
    except Exception as error:
        raise _unreadable(error) from None


def _size_of(folder: FilePath) -> int:
    return sum(file.stat().st_size for file in folder.iterdir() if file.is_file())


@contextmanager
def _bounded_memory(size: int) -> Iterator[None]:
    """Let the process take no more memory than a file of this size accounts for.

    A few bytes of a pickle can make torch reserve or fill any amount: the allocation fails instead.
    Only Linux can count what the process has.
    """
    status = FilePath("/proc/self/status")
    if resource is None or not status.exists():
        yield
        return
    [has] = re.findall(r"^VmData:\s+(\d+) kB", status.read_text(), re.MULTILINE)
    usual = soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    most = (int(has) << 10) + 2 * size + MEMORY
    if soft != resource.RLIM_INFINITY:
        most = min(most, soft)
    resource.setrlimit(resource.RLIMIT_DATA, (most, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, usual)


def _check_sizes(file: IO[bytes], size: int) -> None:
    """Reject a zip file that would take more memory than its size says.

    Raises:
        StateError: a part is compressed, which torch never does, parts overlap, or the part with
            the values, to which tensors do not belong, is too large.
    """
    with ZipFile(file) as parts:
        sizes = {part.filename: part.file_size for part in parts.infolist()}
        packed = any(part.compress_type != ZIP_STORED for part in parts.infolist())
    if packed or sum(sizes.values()) > size:
        raise StateError("this is not what torch saves: parts of it are compressed or overlap")
    if any(size > LARGEST_PICKLE for name, size in sizes.items() if name.endswith(".pkl")):
        raise StateError(f"its values take more than {LARGEST_PICKLE >> 20} MiB, without tensors")


def _unreadable(error: Exception) -> StateError:
    if isinstance(error, MemoryError) or "alloc_cpu" in str(error):
        return StateError("this is not what torch saves: reading it takes far more than its size")
    match = _GLOBAL.search(str(error))
    if not match:
        return StateError(f"this is not what torch saves, or is damaged: {_short(error)}")
    name = match[1] or match[2]
    return StateError(
        f"there is pickled code in it, `{clipped(name)}`, which is not run: save the state_dict() "
        "of the scheduler, and with plain values"
    )


def _short(error: Exception) -> str:
    return clipped(str(error).partition("\n")[0]) or type(error).__name__


def _distributed(folder: FilePath) -> dict[str, Any]:
    """What of a distributed checkpoint is no tensor, as the nested values that were saved."""
    path = folder / ".metadata"
    if path.stat().st_size > LARGEST_PICKLE:
        raise StateError(f"its .metadata is larger than {LARGEST_PICKLE >> 20} MiB")
    with path.open("rb") as file, _damage_reported():
        metadata = _Metadata(file).load().fields
        kinds, planned = metadata["state_dict_metadata"], metadata.get("planner_data") or {}
        tree: dict[Any, Any] = {}
        for index, place in metadata["storage_data"].items():
            name = index.fields["fqn"]
            keys = planned.get(name, (name,))
            is_bytes = type(kinds[name]).__name__ == "BytesStorageMetadata"
            if is_bytes and "optimizer" not in str(keys[0]):
                inner = tree
                for key in keys[:-1]:
                    inner = inner.setdefault(key, {})
                inner[keys[-1]] = _leaf(folder, place.fields)
        return {key: _with_lists(inner) for key, inner in tree.items()}


def _with_lists(tree: Any) -> Any:
    """The nested values with lists where keys are numbers; those of mappings are saved as text."""
    if not isinstance(tree, dict):
        return tree
    inner = {key: _with_lists(it) for key, it in tree.items()}
    if inner and all(isinstance(key, int) for key in inner):
        return [inner[index] for index in sorted(inner)]
    return inner


def _leaf(folder: FilePath, place: Mapping[str, Any]) -> Any:
    name = str(place["relative_path"])
    inside, path = (os.path.realpath(each) for each in (folder, folder / name))
    if os.path.commonpath([inside, path]) != inside:
        raise StateError(f"its part {clipped(name)} is outside of the folder")
    with FilePath(path).open("rb") as file:
        file.seek(place["offset"])
        data = file.read(min(place["length"], os.fstat(file.fileno()).st_size))
    try:
        if data.startswith(b"PK"):
            _check_sizes(io.BytesIO(data), len(data))
        return torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except Exception:
        # Something else than a scheduler: its code is not run, and it is not shown.
        return None


# The unpickler in C reserves memory for as many objects as the largest number that a pickle gives
# to one of them; the one in Python keeps them in a dict.
class _Metadata(pickle._Unpickler):
    """Reads the list of contents of a distributed checkpoint, and builds nothing else.

    Every class that the list names is replaced by a `StandIn` of that name, made for this list
    alone: what a pickle does to it reaches nothing else.
    """

    ALLOWED = {
        "torch.distributed.checkpoint.metadata": (
            "Metadata",
            "MetadataIndex",
            "BytesStorageMetadata",
            "TensorStorageMetadata",
            "ChunkStorageMetadata",
            "TensorProperties",
            "StorageMeta",
            "_MEM_FORMAT_ENCODING",
        ),
        "torch.distributed.checkpoint.filesystem": ("_StorageInfo",),
        "torch.serialization": ("_get_layout",),
        "torch": ("Size", "device"),
        # How some versions of Python save a member of an enumeration.
        "builtins": ("getattr",),
        # Where the checkpoint was saved.
        "pathlib": ("Path", "PosixPath", "PurePosixPath", "WindowsPath", "PureWindowsPath"),
        "pathlib._local": ("Path", "PosixPath", "PurePosixPath", "WindowsPath", "PureWindowsPath"),
    }

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return stand_in(module, name)
        is_dtype = module == "torch" and isinstance(getattr(torch, name, None), torch.dtype)
        if is_dtype or name in self.ALLOWED.get(module, ()):
            return stand_in(module, name)
        raise pickle.UnpicklingError(f"GLOBAL {module}.{name}")
