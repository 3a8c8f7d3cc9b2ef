"""Relays: adding the mean of the most similar training pairs to a row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import gen_batches

from skda.base import GalleryIndex
from skda.utils.many_rows import spread_out
from skda.utils.operations import normalize, take_rows

__all__ = ["Relay"]


class Relay:
    """Add to a row the mean of the fused training pairs nearest to it in its view.

    Of more than 10,000 pairs, as many are kept, drawn evenly: each row that is embedded
    is compared with all of them.

    Parameters
    ----------
    n_relays : int
        Number of neighbors.
    """

    def __init__(self, n_relays: int) -> None:
        self.n_relays = n_relays

    def fit(self, embeddings: Mapping[str, NDArray[Any]]) -> Self:
        """Keep the training pairs.

        Parameters
        ----------
        embeddings : mapping of str to ndarray of shape (n, d)
            Embedded training pairs, by view.

        Returns
        -------
        self : object
            Fitted relay.
        """
        n_pairs = max(len(rows) for rows in embeddings.values())
        kept = spread_out(n_pairs)
        units = {name: normalize(rows[kept]) for name, rows in embeddings.items()}
        self.fused_ = np.mean(list(units.values()), axis=0)  # (n, d)
        n_neighbors = min(self.n_relays, len(self.fused_))
        self.indices_ = {
            name: GalleryIndex(n_neighbors=n_neighbors).fit(rows)
            for name, rows in units.items()
        }
        return self

    def __call__(self, X: NDArray[Any], view: str) -> NDArray[Any]:
        """Relay embedded rows.

        Parameters
        ----------
        X : ndarray of shape (m, d)
            Embedded rows of one view.
        view : str
            Their view.

        Returns
        -------
        ndarray of shape (m, d)
            Unit rows plus the mean of their neighbors' fused embeddings.
        """
        relayed = normalize(X)
        parts = []
        for rows in gen_batches(len(X), 1024):  # for (rows, n_relays, d) to fit
            neighbors, _ = self.indices_[view].search(relayed[rows])
            near = take_rows(neighbors, self.fused_).mean(axis=1)
            parts.append((relayed[rows] + near).astype(relayed.dtype, copy=False))
        return np.concatenate(parts)
