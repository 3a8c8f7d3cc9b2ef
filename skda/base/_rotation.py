"""Wide inputs in the coordinates of their own row space, for the time of a training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from skda.data import Domains
from skda.modules import RotatedLinear

__all__ = ["restore_inputs", "rotate_inputs"]

Encoders = Mapping[str, Any]


def rotate_inputs(encoders: Encoders, domains: Domains, n_steps: int) -> Domains:
    """Rotate the first layers, and the rows before them, where it pays.

    Parameters
    ----------
    encoders : mapping of str to nn.Sequential
        Encoder of every domain, which starts with a linear layer; changed in place.
    domains : Domains
        The rows.
    n_steps : int
        Number of training steps.

    Returns
    -------
    Domains
        The rows, as the layers now want them.
    """
    whole = domains.whole
    for name, encoder in encoders.items():
        rows = getattr(whole, name)
        (n_rows, width), n_hidden = rows.X.shape, encoder[0].out_features
        # The decomposition takes about width * n_rows**2 operations, a step saves
        # n_rows * n_hidden for each column that it goes without.
        if n_rows < width and n_steps * n_hidden * (width - n_rows) > width * n_rows:
            encoder[0] = RotatedLinear(encoder[0], rows.X)
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
