"""The journal of a comparison: one line of JSON for every fit that is finished.

A line is written and synchronized with the disk as soon as its fit is finished, by the
process that runs the comparison, as others may be on machines with disks of their own.
Whatever ends the run takes no more than the fits under way. A line that was torn
is passed over, and its fit is done again. Lines are found by a fingerprint of all that
a result depends on.
"""

from __future__ import annotations

import functools
import hashlib
import inspect
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import joblib

__all__ = ["Journal", "append_line", "fingerprint"]

#: How every line begins, by which a journal is told from any other file.
_START = '{"fit": '


class Journal:
    """The finished fits in a file, by their fingerprints.

    Parameters
    ----------
    path : str or path-like
        The file; there need not be one yet.

    Raises
    ------
    ValueError
        If the file is something else.
    OSError
        If it cannot be read or written.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path).resolve()
        with self.path.open("ab"):  # to find out whether it can be written
            pass
        content = self.path.read_bytes()
        first, start = content.split(b"\n")[0], _START.encode()
        is_ours = first.startswith(start) or start.startswith(first or content)
        if not is_ours:  # not even the beginning of a line that was torn
            raise ValueError(
                f"Expected a journal of skda in {self.path}, got another file: name a "
                f"file that is not there yet."
            )
        self._records = dict(filter(None, map(_parse_line, content.splitlines())))

    def __len__(self) -> int:
        return len(self._records)

    def find(self, key: str) -> dict[str, Any] | None:
        """Find what was written of a fit.

        Parameters
        ----------
        key : str
            Its fingerprint.

        Returns
        -------
        dict or None
            The record; None if it was not finished when the journal was opened.
        """
        return self._records.get(key)


def append_line(path: Path, key: str, record: Mapping[str, Any]) -> None:
    """Write down that a fit is finished.

    Parameters
    ----------
    path : Path
        File of the journal.
    key : str
        Fingerprint of the fit.
    record : mapping of str to object
        What came of it, as far as JSON can say it.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    line = f"{_START}{json.dumps(key)}, {json.dumps(dict(record))[1:]}\n".encode()
    # Unbuffered and in one piece, so that the lines of several processes do not mix.
    with path.open("a+b", buffering=0) as file:
        size = file.seek(0, os.SEEK_END)
        if size:
            file.seek(size - 1)
            if file.read(1) != b"\n":  # the last line was torn
                line = b"\n" + line
        n_written = file.write(line)
        os.fsync(file.fileno())
    if n_written != len(line):
        raise OSError(f"only {n_written} of {len(line)} bytes could be written")


def fingerprint(*parts: Any) -> str:
    """Summarize objects so that equal ones, in any process, have the same summary.

    Parameters
    ----------
    *parts : object
        Data, estimators with their parameters, settings. What cannot be told from
        others of its kind has a summary of its own in every process.

    Returns
    -------
    str
        Digits that differ where anything in the objects does.
    """
    described = json.dumps([_describe(part) for part in parts])
    return hashlib.sha256(described.encode()).hexdigest()[:32]


def _parse_line(line: bytes) -> tuple[str, dict[str, Any]] | None:
    """Read a line; None if it was torn."""
    try:
        record = json.loads(line)
    except ValueError:
        return None
    if not isinstance(record, dict) or "fit" not in record:
        return None
    return record.pop("fit"), record


def _describe(value: Any) -> Any:
    """Take an object apart into what JSON can say."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return [type(value).__name__, repr(value)]
    if isinstance(value, Mapping):
        pairs = [[repr(name), _describe(value[name])] for name in value]
        return [_name(type(value)), sorted(pairs, key=lambda pair: pair[0])]
    if isinstance(value, (list, tuple)):
        return [_name(type(value)), *map(_describe, value)]
    if isinstance(value, (type, functools.partial)) or inspect.isroutine(value):
        return _describe_code(value)
    if hasattr(value, "get_params"):
        return [_name(type(value)), _describe(value.get_params(deep=False))]
    return _describe_data(value)


def _describe_code(value: Any) -> Any:
    """Name a class or a function, the latter with what it does."""
    if isinstance(value, functools.partial):
        return ["partial", *map(_describe, (value.func, value.args, value.keywords))]
    code = getattr(value, "__code__", None)
    if code is None:
        return _name(value)
    closure = [cell.cell_contents for cell in value.__closure__ or ()]
    constants = [c for c in code.co_consts if not inspect.iscode(c)]
    parts = [constants, list(code.co_names), closure, value.__defaults__]
    return [_name(value), code.co_code.hex(), _describe(parts)]


def _describe_data(value: Any) -> Any:
    """Hash the content of an array, a frame or any other object."""
    try:
        return [_name(type(value)), joblib.hash(value)]
    except Exception:  # noqa: BLE001 (whatever pickling raises)
        if hasattr(value, "__dict__"):
            return [_name(type(value)), _describe(vars(value))]
        return [_name(type(value)), repr(value)]


def _name(value: Any) -> str:
    name = getattr(value, "__qualname__", repr(value))
    return f"{getattr(value, '__module__', '')}.{name}"
