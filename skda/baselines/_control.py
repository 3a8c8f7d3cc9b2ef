"""Base classes of the controls that learn from the target alone."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated, Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skda.base import BaseDomainClassifier, DomainName, estimator
from skda.preprocessing import RowScaler
from skda.utils._sklearn import StrOptions
from skda.utils.labels import Labels
from skda.utils.ranges import Power, Transformer

__all__ = ["ClassPrior", "TargetControl", "TargetLearner", "class_prior"]

ClassPrior = Annotated[
    str | ArrayLike | None, StrOptions({"labeled"}), "array-like", None
]


@estimator
class TargetLearner(BaseDomainClassifier):
    """Learn from the target alone, by the call of a method that adapts.

    Parameters
    ----------
    target_transformer : transformer
        Cloned, fitted on the target samples and applied to them ever after.
    """

    source_transformer: Transformer = field(default=None, init=False)

    uses_source: ClassVar[bool] = False
    __metadata_request__fit: ClassVar[dict[str, bool]] = {"source": True, "pairs": True}

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike | None = None,
        *,
        source: Any = None,
        pairs: Any = None,
    ) -> Self:
        """Fit to a partially labeled target.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_target, n_features)
            Target samples.
        y : array-like of shape (n_target,)
            Target labels; -1, None, NaN or pandas.NA where unknown.
        source : tuple (X_source, y_source), default=None
            Ignored, so that the call is the one of an adaptation method.
        pairs : tuple or array-like, default=None
            Ignored, too.

        Returns
        -------
        self : object
            Fitted estimator.
        """
        return super().fit(X, y)


@estimator
class TargetControl(TargetLearner):
    """Learn from the rows of the target, labeled or not, and from no source.

    Parameters
    ----------
    power : float, "auto" or None
        Power of the features before the rows are scaled to unit length, see
        :class:`skda.preprocessing.RowScaler`; None leaves the rows as they are.
    """

    power: Power | None = "auto"

    def make_preprocessor(self, domain: DomainName) -> Any:
        return None if self.power is None else RowScaler(self.power)


def class_prior(
    prior: Any, labels: Labels, classes: NDArray[Any]
) -> NDArray[np.float64]:
    """Determine the share that every class is taken to have of the unlabeled rows.

    Parameters
    ----------
    prior : {"labeled"}, array-like of shape (n_classes,) or None
        The classes' shares of the labeled rows; given shares; or equal shares.
    labels : Labels
        Labels of the target.
    classes : ndarray of shape (n_classes,)
        Their classes.

    Returns
    -------
    ndarray of shape (n_classes,)
        Positive shares, of sum one.
    """
    if prior is None:
        return np.full(len(classes), 1 / len(classes))
    if isinstance(prior, str):  # "labeled", the only string that is valid
        return labels.memberships(classes)[labels.known].mean(axis=0, dtype=np.float64)
    shares = np.asarray(prior, dtype=np.float64)
    if shares.shape != classes.shape or not (np.isfinite(shares) & (shares > 0)).all():
        raise ValueError(
            f"Expected prior to have one positive share for each of the "
            f"{len(classes)} classes, got {prior!r}: pass them in the order of "
            f"classes_, or prior='labeled'."
        )
    return shares / shares.sum()
