"""Files that are there whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

__all__ = ["check_writable", "write_whole"]


def write_whole(path: str | os.PathLike[str], content: bytes | memoryview) -> None:
    """Write a file under another name first, so that it is never there in part.

    Parameters
    ----------
    path : str or path-like
        The file. What is there already is replaced at the end; what is no regular file,
        such as a device or a pipe, is written to as it is.
    content : bytes or memoryview
        What to write.

    Raises
    ------
    OSError
        If it cannot be written; the file is as it was then.
    """
    file = Path(path).resolve()
    if file.exists() and not file.is_file():
        file.write_bytes(content)
        return
    descriptor, temporary = _open_beside(file)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).replace(file)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def check_writable(path: str | os.PathLike[str]) -> None:
    """Try to write beside a file, which stays as it is.

    Parameters
    ----------
    path : str or path-like
        The file.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    file = Path(path).resolve()
    if file.exists() and not file.is_file():
        return
    descriptor, temporary = _open_beside(file)
    os.close(descriptor)
    Path(temporary).unlink()


def _open_beside(file: Path) -> tuple[int, str]:
    """Open a new file in the same folder, with the permissions of any new file."""
    descriptor, temporary = tempfile.mkstemp(
        prefix=f".{file.name}.", suffix=".tmp", dir=file.parent
    )
    mask = os.umask(0)
    os.umask(mask)
    Path(temporary).chmod(0o666 & ~mask)
    return descriptor, temporary
