"""Shares of the classes: estimated, counted, equal or given."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chisquare
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from skda.utils._sklearn import StrOptions
from skda.utils.labels import Labels
from skda.utils.scaling import make_standard_scaler, normalize_rows
from skda.utils.warnings import warn_user

__all__ = [
    "ClassPrior",
    "FormerPrior",
    "estimate_class_prior",
    "has_mostly_zeros",
    "resolve_class_prior",
    "take_former_prior",
    "warn_about_shares",
]

ClassPrior = Annotated[
    Any, StrOptions({"estimate", "labeled", "balanced"}), "array-like"
]

FormerPrior = Annotated[Any, StrOptions({"labeled", "deprecated"}), "array-like", None]

#: Value of ``prior``, the former name of ``class_prior``, where it is not passed.
NOT_PASSED = "deprecated"
#: Chance that rows drawn at random are said to have other shares than they have.
RISK = 0.001
#: Share of the rows that would have to change classes for shares to be called wrong.
FAR = 1 / 7


def take_former_prior(estimator: Any, default: Any = "estimate") -> Any:
    """Read ``class_prior`` of an estimator, or ``prior``, its former name.

    Parameters
    ----------
    estimator : estimator
        Estimator with both hyper-parameters.
    default : object, default="estimate"
        Default of ``class_prior``.

    Returns
    -------
    {"estimate", "labeled", "balanced"} or array-like
        The value of ``class_prior`` that is meant.
    """
    prior, class_prior = estimator.prior, estimator.class_prior
    if isinstance(prior, str) and prior == NOT_PASSED:
        return class_prior
    name = type(estimator).__name__
    if not (isinstance(class_prior, str) and class_prior == default):
        raise ValueError(
            f"Expected class_prior of {name} alone, got class_prior={class_prior!r} "
            f"and prior={prior!r}: leave out prior, which is its former name."
        )
    meant = "balanced" if prior is None else prior
    warn_user(
        f"prior of {name} is now class_prior, and will be removed in the next "
        f"release: write class_prior={meant!r} instead of prior={prior!r}.",
        FutureWarning,
    )
    return meant


def resolve_class_prior(
    class_prior: Any, X: NDArray[Any], labels: Labels, classes: NDArray[Any]
) -> NDArray[np.float64]:
    """Determine the share that every class is taken to have of the unlabeled rows.

    Parameters
    ----------
    class_prior : {"estimate", "labeled", "balanced"} or array-like of shape (K,)
        Estimated shares; those of the labeled rows; equal ones; or given ones.
    X : ndarray of shape (n, p)
        Rows.
    labels : Labels
        Their labels.
    classes : ndarray of shape (K,)
        All classes.

    Returns
    -------
    ndarray of shape (K,)
        Positive shares, of sum one.

    Examples
    --------
    >>> import numpy as np
    >>> from skda.utils.class_prior import resolve_class_prior
    >>> from skda.utils.labels import check_labels
    >>> X = np.zeros((4, 1))
    >>> labels = check_labels([0, 0, 1, -1], X)
    >>> resolve_class_prior("balanced", X, labels, np.array([0, 1]))
    array([0.5, 0.5])
    >>> resolve_class_prior([3, 1], X, labels, np.array([0, 1]))
    array([0.75, 0.25])
    """
    if isinstance(class_prior, str):
        if class_prior == "estimate":
            return estimate_class_prior(X, labels, classes)
        if class_prior == "balanced":
            return np.full(len(classes), 1 / len(classes))
        known = labels.memberships(classes)[labels.known]
        return known.mean(axis=0, dtype=np.float64)
    shares = np.asarray(class_prior, dtype=np.float64)
    if shares.shape != classes.shape or not (np.isfinite(shares) & (shares > 0)).all():
        raise ValueError(
            f"Expected class_prior to have one positive share for each of the "
            f"{len(classes)} classes, got {class_prior!r}: pass them in the order of "
            f"classes_, or class_prior='estimate'."
        )
    return shares / shares.sum()


def estimate_class_prior(
    X: NDArray[Any], labels: Labels, classes: NDArray[Any]
) -> NDArray[np.float64]:
    """Estimate the classes' shares of the unlabeled rows.

    They are the mean of the probabilities that two logistic regressions, fitted to the
    labeled rows, give the unlabeled ones: one on unit rows (of roots, if no value is
    negative), with C = 10, one on z-scores, with C = 1, which is left out where more
    than nine in ten values are zero. The mean starts from the shares of the labels and
    moves as far from them as the rows tell the classes apart. On the boards it came
    closer to the truth than those, than the shares of the predictions, and than the EM
    algorithm for shares, which takes the probabilities for calibrated.

    Parameters
    ----------
    X : ndarray of shape (n, p)
        Rows, in any units.
    labels : Labels
        Their labels.
    classes : ndarray of shape (K,)
        All classes, those without a labeled row too.

    Returns
    -------
    ndarray of shape (K,)
        Positive shares, of sum one: one more row counts, which is of all classes alike.
        Without unlabeled rows, the shares of the labels.

    Examples
    --------
    >>> import numpy as np
    >>> from skda.utils.class_prior import estimate_class_prior
    >>> from skda.utils.labels import check_labels
    >>> X = np.array([[-1.0], [1.0], [-1.1], [-0.9], [-1.0], [1.1]])
    >>> labels = check_labels([0, 1, -1, -1, -1, -1], X)
    >>> estimate_class_prior(X, labels, np.array([0, 1])).round(2)
    array([0.61, 0.39])
    """
    hidden = ~labels.known
    shares = labels.memberships(classes)[labels.known].mean(axis=0, dtype=np.float64)
    seen = shares > 0
    if hidden.any() and seen.sum() > 1:
        codes = labels.codes(classes)[labels.known]
        shares[seen] = np.mean(
            [
                _mean_probabilities(rows, labels.known, codes, C)
                for rows, C in _representations(X)
            ],
            axis=0,
        )
    n_rows = hidden.sum() or len(X)
    return (n_rows * shares + 1 / len(classes)) / (n_rows + 1)


def has_mostly_zeros(X: NDArray[Any]) -> bool:
    """Tell whether more than nine in ten values are zero, as in texts.

    Parameters
    ----------
    X : ndarray of shape (n, p)
        Rows.

    Returns
    -------
    bool
        Whether they are.

    Examples
    --------
    >>> import numpy as np
    >>> from skda.utils.class_prior import has_mostly_zeros
    >>> has_mostly_zeros(np.eye(20))
    True
    """
    return bool(np.mean(X == 0) > 0.9)


def warn_about_shares(
    name: str,
    class_prior: str,
    shares: NDArray[Any],
    *,
    X: NDArray[Any],
    labels: Labels,
    classes: NDArray[Any],
) -> None:
    """Warn if the data contradict the shares that a method goes by.

    On the boards, of the tasks where methods with balanced classes were more than five
    points below a plain classifier, seven in ten were warned of, of the others one in
    thirty.

    Parameters
    ----------
    name : str
        Name of the method.
    class_prior : {"estimate", "labeled", "balanced"}
        Where the shares are from.
    shares : ndarray of shape (K,)
        The shares.
    X : ndarray of shape (n, p)
        Rows.
    labels : Labels
        Their labels.
    classes : ndarray of shape (K,)
        All classes.
    """
    n_hidden = int((~labels.known).sum())
    if len(classes) < 2 or n_hidden == 0:
        return
    counts = labels.memberships(classes)[labels.known].sum(axis=0, dtype=np.float64)
    labeled = counts / counts.sum()
    if class_prior == "balanced" and chisquare(counts).pvalue < RISK:
        warn_user(
            f"{name} takes the classes to be equally frequent, but they have "
            f"{_spelled(labeled)} of the labels: pass class_prior='labeled' if the "
            f"labels were drawn at random, else class_prior='estimate', or the shares "
            f"if they are known."
        )
    elif class_prior == "estimate":
        if _differ(shares, labeled, n_hidden):
            warn_user(
                f"{name} estimates the classes to have {_spelled(shares)} of the "
                f"unlabeled rows, where they have {_spelled(labeled)} of the labels; "
                f"few labels say little about rare classes: pass the shares as "
                f"class_prior if they are known, or class_prior='labeled' if the "
                f"labels were drawn at random."
            )
    else:
        estimated = estimate_class_prior(X, labels, classes)
        if _differ(estimated, shares, n_hidden):
            warn_user(
                f"{name} takes the classes to have {_spelled(shares)} of the unlabeled "
                f"rows (class_prior={class_prior!r}), which rather look like "
                f"{_spelled(estimated)}: pass class_prior='estimate', or the shares "
                f"if they are known."
            )


def _representations(X: NDArray[Any]) -> Iterator[tuple[NDArray[Any], float]]:
    """Represent rows for logistic regressions, with the constant of each."""
    roots = np.sqrt(X) if X.min() >= 0 else X
    yield normalize_rows(roots), 10.0
    if not has_mostly_zeros(X):
        yield make_standard_scaler().fit_transform(X), 1.0


def _mean_probabilities(
    X: NDArray[Any], known: NDArray[np.bool_], codes: NDArray[np.int64], C: float
) -> NDArray[np.float64]:
    """Fit a logistic regression to known rows, and average what it gives the others."""
    model = LogisticRegression(C=C, max_iter=500)
    with warnings.catch_warnings():  # a mean of probabilities needs no last digits
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(X[known], codes)
    return model.predict_proba(X[~known]).mean(axis=0)


def _differ(found: NDArray[Any], supposed: NDArray[Any], n_rows: int) -> bool:
    """Tell whether shares differ by much, and by more than so few rows do by chance."""
    far = np.abs(found - supposed).sum() / 2 > FAR
    # Of classes that nobody labeled, nothing is supposed.
    labeled = supposed > 0
    expected = n_rows * supposed[labeled] / supposed[labeled].sum()
    counts = n_rows * found[labeled] / found[labeled].sum()
    return bool(far and labeled.sum() > 1 and chisquare(counts, expected).pvalue < RISK)


def _spelled(shares: NDArray[Any]) -> str:
    """Spell the shares of the first classes."""
    texts = [f"{100 * share:.0f} %" for share in shares[:5]]
    return ", ".join(texts) + ", ..." * (len(shares) > 5)
