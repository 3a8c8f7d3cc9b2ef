"""Correct the probabilities of a fitted classifier on labeled rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import check_is_fitted

from skda.utils._sklearn import safe_indexing
from skda.utils.labels import check_labels

__all__ = ["calibrate"]


def calibrate(
    estimator: Any, X: Any, y: ArrayLike, *, method: str = "sigmoid"
) -> CalibratedClassifierCV:
    """Calibrate the probabilities of a fitted classifier on the labeled rows alone.

    :class:`sklearn.calibration.CalibratedClassifierCV` takes -1 for a class, to which
    no unlabeled row is ever predicted to belong, and lowers all probabilities for it.
    This gives it the labeled rows, and an estimator that is not fitted again.

    Parameters
    ----------
    estimator : estimator object
        Fitted classifier.
    X : array-like of shape (n_samples, n_features)
        Target samples. Labeled ones should not have been labeled in the fit, where the
        classifier has seen what it is to be measured by.
    y : array-like of shape (n_samples,)
        Labels; rows where they are -1, None, NaN or pandas.NA do not count.
    method : {"sigmoid", "isotonic", "temperature"}, default="sigmoid"
        Method of calibration. With few labels, "temperature" (scikit-learn 1.8), which
        learns one number, is the most careful one, and "isotonic" the least.

    Returns
    -------
    CalibratedClassifierCV
        Fitted classifier, with the classes of `estimator`.

    Raises
    ------
    NotFittedError
        If the estimator is not fitted.
    ValueError
        If a class has no labeled row, or a label is none of the classes.

    See Also
    --------
    cross_val_predict : Predicts rows by models that have not seen their labels.

    Examples
    --------
    >>> from skda.baselines import TargetOnly
    >>> from skda.datasets import make_heterogeneous_domains
    >>> from skda.model_selection import calibrate
    >>> data = make_heterogeneous_domains(random_state=0)
    >>> clf = TargetOnly().fit(data.X[:150], data.y_true[:150])
    >>> y = data.y_true.copy()
    >>> y[200:] = -1  # unlabeled
    >>> calibrate(clf, data.X[150:], y[150:]).predict_proba(data.X[200:]).shape
    (100, 4)
    """
    check_is_fitted(estimator)
    known, labels = check_labels(y, X)
    there, classes = np.unique(labels).tolist(), list(estimator.classes_)
    missing = [name for name in np.asarray(classes).tolist() if name not in there]
    unknown = [name for name in there if name not in classes]
    if missing or unknown:
        raise ValueError(
            f"Expected labeled samples of every class of the estimator, and of no "
            f"other, got none of {missing} and some of {unknown}: label samples of "
            f"all classes."
        )
    rows = np.flatnonzero(known)
    everything = np.arange(len(rows))
    calibrated = CalibratedClassifierCV(
        FrozenEstimator(estimator),
        method=method,
        cv=[(everything, everything)],  # nothing is fitted, so nothing is held out
    )
    return calibrated.fit(safe_indexing(X, rows), labels)
