"""Base class of the methods whose output is a score per class."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skda.base import BaseDomainClassifier, DomainName, Rows, estimator
from skda.preprocessing import row_preprocessor
from skda.utils.operations import softmax
from skda.utils.ranges import Auto, Power
from skda.utils.warnings import warn_user

__all__ = ["BaseMarginClassifier"]


@estimator
class BaseMarginClassifier(BaseDomainClassifier):
    """Score every class, from labeled rows of both domains.

    A subclass learns (:meth:`_learn`) and scores (:meth:`_scores`). Its probabilities
    are the softmax of the scores. Without a source, it learns from one of no rows.

    Parameters
    ----------
    power : float or "auto"
        Power of every feature; "auto" is the square root in a domain that has no
        negative feature, else 1.
    normalize : {"auto"} or bool
        Whether to scale every row to unit length after that. "auto" does, unless fewer
        than 16 features make up the length of a row, as in tables: in such a domain the
        features are standardized instead, without a power.
    """

    power: Power = "auto"
    normalize: bool | Auto = "auto"

    published_params: ClassVar[dict[str, Any]] = {"power": 1.0, "normalize": True}

    @abstractmethod
    def _learn(self, source: Rows, target: Rows) -> None:
        """Learn from labeled source rows, which may be none, and from the target.

        There are two classes at least, over both, and a labeled target row.
        """

    @abstractmethod
    def _scores(self, X: NDArray[Any], domain: DomainName) -> NDArray[np.floating]:
        """Score rows, of shape (n, p), for every class, of shape (n, K)."""

    def make_preprocessor(self, domain: DomainName) -> Any:
        return row_preprocessor(
            domain, power=self.power, normalize=self.normalize, n_neighbors=None
        )

    def fit_rows(self, source: Rows, target: Rows) -> None:
        name = type(self).__name__
        known = source.labels.known
        if not target.labels.known.any():
            raise ValueError(
                f"{name} expects labeled target samples, got none: they alone tie the "
                f"features of the target to the classes of the source. Label a few "
                f"samples of every class."
            )
        if len(known) and not known.any():
            raise ValueError(
                f"{name} expects labeled source samples, got {len(known)} without a "
                f"label: label them, or leave out the source."
            )
        if not known.all():
            warn_user(f"{name} leaves out {(~known).sum()} unlabeled source samples.")
        if len(self.classes_) > 1:
            self._learn(source.labeled(), target)

    def predict_proba_rows(
        self, X: NDArray[Any], domain: DomainName
    ) -> NDArray[np.floating]:
        if len(self.classes_) == 1:
            return np.ones((len(X), 1))
        return softmax(self._scores(X, domain), axis=1)
