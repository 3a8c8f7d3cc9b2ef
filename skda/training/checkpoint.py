"""Files with the complete state of a training, there whole or not at all."""

from __future__ import annotations

import hashlib
import io
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from skda.utils.files import write_whole
from skda.utils.warnings import warn_user

try:
    import fcntl
except ImportError:  # pragma: no cover (Windows has none)
    fcntl = None  # type: ignore[assignment]

__all__ = ["CheckpointFolder", "pack", "unpack"]

#: Most of the time of a training that goes into writing.
WRITING_SHARE = 0.05
#: Seconds of training between two files, at the least.
SECONDS_BETWEEN = 10.0

NAME, PREVIOUS = "checkpoint.skda", "checkpoint.previous.skda"
#: At the end of a file, after a digest of what stands before. The number is the format.
MAGIC = b"skda checkpoint 1\n"
_DIGEST_SIZE = 32

#: Folders in use by a fit of this process.
_IN_USE: set[Path] = set()
_CHANGING_IN_USE = threading.Lock()


class CheckpointFolder:
    """A folder with the last state of one fit, and the state before that.

    Parameters
    ----------
    path : str or Path
        The folder, which is made if it is not there.

    Examples
    --------
    >>> import tempfile
    >>> folder = CheckpointFolder(tempfile.mkdtemp())
    >>> folder.read() is None
    True
    >>> folder.write({"step": 3})
    >>> folder.read()
    {'step': 3}
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path).resolve()
        self._last_written = time.monotonic()
        self._pause = SECONDS_BETWEEN

    @property
    def is_due(self) -> bool:
        """Whether to write again, which takes at most a small share of the time."""
        return time.monotonic() - self._last_written >= self._pause

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Keep other fits out of the folder inside the block.

        Yields
        ------
        None
            Once; the folder is there.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        with _CHANGING_IN_USE:
            if self.path in _IN_USE:
                raise self._in_use_error()
            _IN_USE.add(self.path)
        try:
            with (self.path / "lock").open("a") as lock:
                self._lock(lock.fileno())
                yield
        finally:
            with _CHANGING_IN_USE:
                _IN_USE.discard(self.path)

    def _lock(self, descriptor: int) -> None:
        """Lock the folder against other processes, for as long as this one lives."""
        if fcntl is None:
            return
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise self._in_use_error() from error

    def _in_use_error(self) -> ValueError:
        return ValueError(
            f"checkpoint={str(self.path)!r} is in use by another fit: a folder is for "
            f"one fit, pass another one to every fit that runs at the same time."
        )

    def write(self, state: Mapping[str, Any]) -> None:
        """Write a state; the one before stays as well.

        Parameters
        ----------
        state : mapping of str to object
            What :func:`pack` returned, by name.
        """
        start = time.monotonic()
        buffer = io.BytesIO()
        torch.save(dict(state), buffer)
        checksum = hashlib.blake2b(buffer.getbuffer(), digest_size=_DIGEST_SIZE)
        buffer.write(checksum.digest() + MAGIC)
        file = self.path / NAME
        if file.exists():
            file.replace(self.path / PREVIOUS)
        write_whole(file, buffer.getbuffer())
        self._last_written = time.monotonic()
        # After w seconds of writing, w / share - w of training are at least to follow.
        spent = self._last_written - start
        self._pause = max(SECONDS_BETWEEN, spent / WRITING_SHARE - spent)

    def read(self, device: torch.device | None = None) -> dict[str, Any] | None:
        """Read the last state that is complete.

        Parameters
        ----------
        device : torch.device, default=None
            Where to load what was on an accelerator.

        Returns
        -------
        dict of str to object or None
            The state; None if there is none.

        Raises
        ------
        ValueError
            If all files are damaged, or from another version.
        """
        found = [f for f in (self.path / NAME, self.path / PREVIOUS) if f.exists()]
        for file in found:
            try:
                state = _load(file.read_bytes(), device)
            except _DamagedError as damage:
                if file == found[-1]:
                    raise ValueError(
                        f"The checkpoint {str(file)!r} cannot be used: {damage}. "
                        f"Delete the folder to start from the beginning."
                    ) from damage
                warn_user(
                    f"The checkpoint {str(file)!r} cannot be used: {damage}. The fit "
                    f"goes on from the one before."
                )
            else:
                return state
        return None


class _DamagedError(ValueError):
    """A file that is not what was written."""


def _load(content: bytes, device: torch.device | None) -> dict[str, Any]:
    """Check and decode the content of a file, in which no code is run."""
    end = len(content) - len(MAGIC)
    if content[end:] != MAGIC:
        title, _, number = content[-64:].rpartition(b" ")
        if title.endswith(MAGIC.rpartition(b" ")[0]):
            raise _DamagedError(
                f"it has format {number.decode('latin1').strip()}, and this version of "
                f"skda reads format {MAGIC.split()[-1].decode()}"
            )
        raise _DamagedError("it is not a complete checkpoint of skda")
    body = memoryview(content)[: end - _DIGEST_SIZE]
    checksum = hashlib.blake2b(body, digest_size=_DIGEST_SIZE).digest()
    if checksum != content[end - _DIGEST_SIZE : end]:
        raise _DamagedError("its content does not match its checksum")

    def place(storage: Any, location: str) -> Any:
        there = location if device is None or location == "cpu" else str(device)
        return torch.serialization.default_restore_location(storage, there)

    try:
        state = torch.load(io.BytesIO(body), map_location=place, weights_only=True)
    except Exception as error:
        raise _DamagedError(
            f"it holds more than numbers and texts ({error})"
        ) from error
    if not isinstance(state, dict):
        raise _DamagedError("it holds no state of a training")
    return state


def pack(value: Any) -> Any:
    """Spell plain data in lists, texts, numbers and tensors.

    Parameters
    ----------
    value : object
        None, a number, a text, a tensor or array, or a list, tuple or dict of these.

    Returns
    -------
    object
        What :func:`unpack` turns into an equal value.

    Raises
    ------
    TypeError
        If it is something else.

    Examples
    --------
    >>> unpack(pack({"losses": [0.5, np.float32(0.25)], 3: None}))
    {'losses': [0.5, np.float32(0.25)], 3: None}
    """
    kind = type(value)
    if value is None or kind in (bool, int, float, str):
        return value
    if kind is Tensor:
        compact = value.untyped_storage().nbytes() == value.nbytes
        return value.detach() if compact else value.detach().clone()
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind in "biuf":
        array = torch.from_numpy(np.array(value))
        return ["array" if isinstance(value, np.ndarray) else "scalar", array]
    if kind in (list, tuple):
        return [kind.__name__, [pack(each) for each in value]]
    if kind in (dict, OrderedDict):
        return [kind.__name__, [[pack(k), pack(v)] for k, v in value.items()]]
    raise TypeError(f"Expected plain data, got {kind.__name__}.")


def unpack(packed: Any) -> Any:
    """Undo :func:`pack`.

    Parameters
    ----------
    packed : object
        What it returned.

    Returns
    -------
    object
        The value.
    """
    if not isinstance(packed, list):
        return packed
    kind, content = packed
    if kind in ("array", "scalar"):
        return content.numpy() if kind == "array" else content.numpy()[()]
    if kind in ("list", "tuple"):
        values = map(unpack, content)
        return list(values) if kind == "list" else tuple(values)
    pairs = ((unpack(key), unpack(value)) for key, value in content)
    return dict(pairs) if kind == "dict" else OrderedDict(pairs)
