"""Which labeled rows a network holds out to validate on."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skda.base._rows import DomainName, Rows

__all__ = ["hold_out"]


def hold_out(
    domains: dict[DomainName, Rows], fraction: float, seed: int
) -> tuple[dict[DomainName, Rows], Rows, DomainName]:
    """Hold labeled rows out: of the target, or of the source if it has all labels.

    Target rows stay in the training, without their labels; source rows leave it. Every
    class keeps at least one labeled row.

    Parameters
    ----------
    domains : dict of str to Rows
        Rows of both domains.
    fraction : float
        Which part of the labeled rows of every class to hold out.
    seed : int
        Seed of the draw.

    Returns
    -------
    domains : dict of str to Rows
        What is left to train on.
    held_out : Rows
        The rows held out, all labeled.
    domain : {"target", "source"}
        The domain that they are from.
    """
    domain: DomainName = "target"
    if not domains["target"].labels.known.any():
        domain = "source"
    rows = domains[domain]
    known = np.flatnonzero(rows.labels.known)
    drawn = _draw_by_class(rows.labels.values, fraction, seed)
    if not len(drawn):
        raise ValueError(
            f"validation_fraction={fraction} holds out no row: the {domain} has "
            f"{len(known)} labeled rows of {len(np.unique(rows.labels.values))} "
            f"classes. Label more rows, or raise it."
        )
    held = known[drawn]
    values = rows.labels.values
    held_labels = rows.labels._replace(
        known=np.ones(len(held), dtype=bool), values=values[drawn]
    )
    masked = rows.labels.known.copy()
    masked[held] = False
    left = rows.labels._replace(known=masked, values=np.delete(values, drawn))
    trained = rows._replace(labels=left)
    if domain == "source":
        stays = np.ones(len(masked), dtype=bool)
        stays[held] = False
        places = np.flatnonzero(stays)
        trained = Rows(rows.X[places], left._replace(known=masked[stays]))
    return domains | {domain: trained}, Rows(rows.X[held], held_labels), domain


def _draw_by_class(
    values: NDArray[Any], fraction: float, seed: int
) -> NDArray[np.int64]:
    """Draw a part of the rows of every class, never all of them."""
    rng = np.random.default_rng(seed)
    drawn = []
    for value in np.unique(values):
        rows = rng.permutation(np.flatnonzero(values == value))
        drawn.append(rows[: min(round(fraction * len(rows)), len(rows) - 1)])
    return np.sort(np.concatenate(drawn))
