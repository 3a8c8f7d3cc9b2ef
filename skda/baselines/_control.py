"""What the controls share that learn from every row of the target."""

from __future__ import annotations

from numbers import Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skda.base import BaseDomainClassifier, DomainName
from skda.preprocessing import RowScaler
from skda.utils._sklearn import Interval, StrOptions
from skda.utils.labels import Labels

__all__ = ["TargetControl", "class_prior"]


class TargetControl(BaseDomainClassifier):
    """Learn from the rows of the target, labeled or not, and from no source."""

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "target_transformer": BaseDomainClassifier._parameter_constraints[
            "target_transformer"
        ],
        "power": [
            Interval(Real, 0, None, closed="neither"),
            StrOptions({"auto"}),
            None,
        ],
    }
    _uses_source: ClassVar[bool] = False
    source_transformer = None
    power: Any

    def _preprocessor(self, domain: DomainName) -> Any:
        return None if self.power is None else RowScaler(self.power)


def class_prior(
    prior: Any, labels: Labels, classes: NDArray[Any]
) -> NDArray[np.float64]:
    """Settle the share that every class is taken to have of the unlabeled rows.

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
    if isinstance(prior, str):  # which can be but "labeled"
        return labels.memberships(classes)[labels.known].mean(axis=0, dtype=np.float64)
    shares = np.asarray(prior, dtype=np.float64)
    if shares.shape != classes.shape or not (np.isfinite(shares) & (shares > 0)).all():
        raise ValueError(
            f"Expected prior to have one positive share for each of the "
            f"{len(classes)} classes, got {prior!r}: pass them in the order of "
            f"classes_, or prior='labeled'."
        )
    return shares / shares.sum()
