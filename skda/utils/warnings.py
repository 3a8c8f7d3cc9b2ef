"""Warnings that point at the user's line, however deep the check that found it."""

from __future__ import annotations

import sys
import warnings

__all__ = ["NoSourceWarning", "warn_of_no_source", "warn_user"]


class NoSourceWarning(UserWarning):
    """An adaptation method was fitted to its target alone."""


def warn_user(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn on behalf of the first caller outside skda and scikit-learn.

    Parameters
    ----------
    message : str
        What to say.
    category : type of Warning, default=UserWarning
        Class of the warning.
    """
    level = 1
    while _is_internal(sys._getframe(level).f_globals.get("__name__", "")):
        level += 1
    warnings.warn(message, category, stacklevel=level + 1)


def warn_of_no_source(estimator: object) -> None:
    """Warn that a fit learns from the target alone.

    Parameters
    ----------
    estimator : object
        What is fitted.
    """
    warn_user(
        f"{type(estimator).__name__} is fitted without a source: it learns from the "
        f"target alone. Pass source=(X_source, y_source).",
        NoSourceWarning,
    )


def _is_internal(module: str) -> bool:
    return module.partition(".")[0] in {"skda", "sklearn"}
