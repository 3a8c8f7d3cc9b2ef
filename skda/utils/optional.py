"""Packages that only some functions need."""

from __future__ import annotations

import importlib
from typing import Any

__all__ = ["import_optional"]


def import_optional(module: str, need: str, extra: str = "compare") -> Any:
    """Import an optional package, or say who needs it and how to install it.

    Parameters
    ----------
    module : str
        What to import.
    need : str
        Who needs it and why, as the subject and verb of a sentence.
    extra : str, default="compare"
        Extra of skda that brings it.

    Returns
    -------
    module
        The module.

    Raises
    ------
    ModuleNotFoundError
        If the package is not installed.
    """
    package = module.partition(".")[0]
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != package:
            raise  # it is there, but lacks something itself
        raise ModuleNotFoundError(
            f"{need}, and {package} is not installed: run pip install 'skda[{extra}]'.",
            name=package,
        ) from error
