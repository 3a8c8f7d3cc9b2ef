"""Archives of a few parts, in which every byte is under one checksum.

An archive is a zip file without compression. Its comment, which is the end of the file,
is the SHA-256 of all that comes before.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from skda.utils.files import write_whole

__all__ = ["check_members", "read_archive", "write_archive"]

#: Digits of the checksum.
N_DIGITS = hashlib.sha256().digest_size * 2


def write_archive(path: str | os.PathLike[str], parts: Mapping[str, bytes]) -> None:
    """Write an archive, whole or not at all.

    Parameters
    ----------
    path : str or path-like
        The file.
    parts : mapping of str to bytes
        Contents by name.
    """
    stream = BytesIO()
    with ZipFile(stream, "w", ZIP_STORED) as archive:
        for name, content in parts.items():
            archive.writestr(ZipInfo(name), content)  # without the time
        archive.comment = b"0" * N_DIGITS
    stream.seek(-N_DIGITS, os.SEEK_END)
    stream.write(_checksum(stream.getvalue()))
    write_whole(path, stream.getvalue())


def read_archive(
    path: str | os.PathLike[str], required: set[str], optional: set[str]
) -> dict[str, bytes]:
    """Read an archive, after a look at its checksum.

    Parameters
    ----------
    path : str or path-like
        The file.
    required, optional : set of str
        Names of the parts that it has, and that it may have.

    Returns
    -------
    dict of str to bytes
        Contents by name.

    Raises
    ------
    ValueError
        If it is no such archive, or not as it was written.
    OSError
        If it cannot be read.
    """
    content = Path(path).read_bytes()
    if content[-N_DIGITS:] != _checksum(content):
        raise ValueError(
            f"Expected a file of skda.save in {path}, whole and unedited, got one "
            f"whose checksum does not match: it is another kind of file, or was cut "
            f"off or changed. Save the estimator again, or copy the file again."
        )
    try:
        with ZipFile(BytesIO(content)) as archive:
            names = check_members(archive)
            if not required <= names <= required | optional:
                raise ValueError(f"its parts are {', '.join(sorted(names))}")
            return {name: archive.read(name) for name in sorted(names)}
    except (BadZipFile, EOFError, NotImplementedError, RuntimeError, ValueError) as why:
        raise ValueError(
            f"Expected a file of skda.save in {path}, got an archive of another kind "
            f"({why}): skda.save did not write it."
        ) from why


def check_members(archive: ZipFile) -> set[str]:
    """Check that an archive has ordinary, uncompressed files alone.

    Parameters
    ----------
    archive : ZipFile
        The archive.

    Returns
    -------
    set of str
        Names of the files.

    Raises
    ------
    ValueError
        If a name is there twice or leads out of the archive, or a file is compressed,
        encrypted, a link, or larger than the archive has room for.
    """
    members = archive.infolist()
    names = {member.orig_filename for member in members}
    if len(names) < len(members):
        raise ValueError("a name is there twice")
    for member in members:
        parts = member.orig_filename.replace("\\", "/").split("/")
        if "" in parts or ".." in parts or ":" in parts[0] or "\0" in parts[-1]:
            raise ValueError(f"the name {member.orig_filename!r} leads elsewhere")
        if stat.S_ISLNK(member.external_attr >> 16):
            raise ValueError(f"{member.orig_filename!r} is a link")
        stored = member.compress_type == ZIP_STORED and not member.flag_bits & 1
        if not stored or member.file_size != member.compress_size:
            raise ValueError(f"{member.orig_filename!r} is compressed or encrypted")
    return names


def _checksum(content: bytes) -> bytes:
    """Compute the digits that end a file."""
    return hashlib.sha256(memoryview(content)[:-N_DIGITS]).hexdigest().encode()
