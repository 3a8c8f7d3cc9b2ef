"""Wide inputs in the coordinates of their own row space, for the time of a training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from skda.modules import RotatedLinear
from skda.training import BatchLoader, Domains

__all__ = ["restore_inputs", "rotate_inputs"]

Encoders = Mapping[str, Any]


def rotate_inputs(encoders: Encoders, loader: BatchLoader, max_epochs: int) -> Domains:
    """Rotate the first layers, and the rows before them, where it pays.

    Parameters
    ----------
    encoders : mapping of str to nn.Sequential
        Encoder of every domain, which starts with a linear layer; changed in place.
    loader : BatchLoader
        How the steps of an epoch take their rows.
    max_epochs : int
        Number of epochs.

    Returns
    -------
    Domains
        The rows, as the layers now want them.
    """
    whole, n_steps = loader.whole, max_epochs * len(loader)
    for name, encoder in encoders.items():
        rows = getattr(whole, name)
        (n_rows, width), n_hidden = rows.X.shape, encoder[0].out_features
        # The decomposition takes about width * n_rows**2 operations, a step saves
        # n_rows * n_hidden for each column that it goes without.
        if n_rows < width and n_steps * n_hidden * (width - n_rows) > width * n_rows:
            encoder[0] = RotatedLinear(
                encoder[0], rows.X, whole=loader.takes_whole(name)
            )
            rotated = encoder[0].rotate(rows.X)
            whole = whole._replace(**{name: rows._replace(X=rotated)})
    return Domains(whole)


def restore_inputs(encoders: Encoders) -> None:
    """Undo the rotation of the first layers.

    Parameters
    ----------
    encoders : mapping of str to nn.Sequential
        Encoder of every domain; changed in place.
    """
    for encoder in encoders.values():
        if isinstance(encoder[0], RotatedLinear):
            encoder[0] = encoder[0].unrotated()
