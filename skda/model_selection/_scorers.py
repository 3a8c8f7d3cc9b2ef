"""Scorers that need no label."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import entr, logsumexp
from sklearn import get_config
from sklearn.metrics import pairwise_distances_chunked

__all__ = [
    "information_maximization_scorer",
    "prediction_entropy_scorer",
    "soft_neighborhood_density_scorer",
]

#: Most memory, in MiB, that a part of the similarities between all rows may take.
WORKING_MEMORY = 64
#: Temperature of Saito et al. (2021).
TEMPERATURE = 0.05


def prediction_entropy_scorer(
    estimator: Any,
    X: ArrayLike,
    y: Any = None,  # noqa: ARG001 (scikit-learn calls every scorer like this)
) -> float:
    r"""Score how sure an estimator is of its predictions; no label is looked at.

    The score is the negative mean entropy of the predictions,

    .. math:: -\frac{1}{n} \sum_i H(p_i), \qquad H(p) = -\sum_k p_k \log p_k,

    from :math:`-\log K` for :math:`K` classes that seem equally likely everywhere to 0
    where every prediction is certain.

    It is a scorer of scikit-learn, to be passed as ``scoring``. Score on unlabeled
    rows, as the example does: an estimator is sure of the labels that it was given.

    Parameters
    ----------
    estimator : estimator object
        Fitted classifier with ``predict_proba``.
    X : array-like of shape (n_samples, n_features)
        Target samples.
    y : object, default=None
        Ignored.

    Returns
    -------
    float
        The score; greater is better.

    Raises
    ------
    TypeError
        If the estimator has no ``predict_proba``.

    See Also
    --------
    information_maximization_scorer : Wants the classes to be balanced, too.
    soft_neighborhood_density_scorer : Wants dense neighborhoods.

    Notes
    -----
    To predict one and the same class for every row, with certainty, has the best score
    of all. So the score must not choose what leads there, such as the weight of a loss
    that is this entropy.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.model_selection import GridSearchCV
    >>> from skda.datasets import make_heterogeneous_domains
    >>> from skda.heterogeneous import STN
    >>> from skda.model_selection import prediction_entropy_scorer
    >>> data = make_heterogeneous_domains(random_state=0)
    >>> rows = np.arange(len(data.X))  # fit to all of them, score the unlabeled ones
    >>> search = GridSearchCV(
    ...     STN(max_epochs=10, random_state=0),
    ...     {"lr": [0.001, 0.01]},
    ...     scoring=prediction_entropy_scorer,
    ...     cv=[(rows, rows[data.y == -1])],
    ... )
    >>> search.fit(data.X, data.y, source=data.source).best_params_
    {'lr': 0.01}
    """
    return -float(_entropy(predict_proba_rows(estimator, X)).mean())


def information_maximization_scorer(
    estimator: Any,
    X: ArrayLike,
    y: Any = None,  # noqa: ARG001 (scikit-learn calls every scorer like this)
) -> float:
    r"""Score how sure and how diverse predictions are; no label is looked at.

    The score is the mutual information of rows and predictions [1]_, the entropy of the
    mean prediction minus the mean entropy,

    .. math:: H\Bigl(\frac{1}{n} \sum_i p_i\Bigr) - \frac{1}{n} \sum_i H(p_i),

    from 0 where every prediction is the same to :math:`\log K` where each of :math:`K`
    classes is predicted with certainty for as many rows.

    It is a scorer of scikit-learn, to be passed as ``scoring``, on unlabeled rows:
    :func:`prediction_entropy_scorer` has an example.

    Parameters
    ----------
    estimator : estimator object
        Fitted classifier with ``predict_proba``.
    X : array-like of shape (n_samples, n_features)
        Target samples.
    y : object, default=None
        Ignored.

    Returns
    -------
    float
        The score; greater is better.

    Raises
    ------
    TypeError
        If the estimator has no ``predict_proba``.

    See Also
    --------
    prediction_entropy_scorer : The second term alone.

    Notes
    -----
    It prefers balanced predictions whether or not the classes are: beware where some
    of them are rare.

    References
    ----------
    .. [1] Y. Shi and F. Sha, "Information-Theoretical Learning of Discriminative
       Clusters for Unsupervised Domain Adaptation", ICML 2012. arXiv:1206.6438.

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> from skda.model_selection import information_maximization_scorer
    >>> constant = DummyClassifier().fit([[0.0], [1.0], [2.0]], [0, 0, 1])
    >>> information_maximization_scorer(constant, [[0.0], [1.0]])
    0.0
    """
    probabilities = predict_proba_rows(estimator, X)
    mean = probabilities.mean(axis=0)
    return float(_entropy(mean) - _entropy(probabilities).mean())


def soft_neighborhood_density_scorer(
    estimator: Any,
    X: ArrayLike,
    y: Any = None,  # noqa: ARG001 (scikit-learn calls every scorer like this)
) -> float:
    r"""Score how dense the neighborhoods of predictions are; no label is looked at.

    The neighbors of a row are the other rows, as far as their predictions are similar
    to its own [1]_: with the cosine :math:`s_{ij}` of two predictions,

    .. math::

        q_{ij} = \frac{\exp(s_{ij} / \tau)}{\sum_{j' \ne i} \exp(s_{ij'} / \tau)},
        \quad j \ne i, \qquad \tau = 0.05,

    and the score is the mean entropy of :math:`q_i`: great where a row has many
    neighbors that are equally close, :math:`\log(n - 1)` at most. It depends on the
    number of rows, so compare candidates on the same ones.

    It is a scorer of scikit-learn, to be passed as ``scoring``, on unlabeled rows:
    :func:`prediction_entropy_scorer` has an example. Time is quadratic in the rows,
    memory is not.

    Parameters
    ----------
    estimator : estimator object
        Fitted classifier with ``predict_proba``.
    X : array-like of shape (n_samples, n_features)
        Target samples, two at least.
    y : object, default=None
        Ignored.

    Returns
    -------
    float
        The score; greater is better.

    Raises
    ------
    TypeError
        If the estimator has no ``predict_proba``.
    ValueError
        If there is a single sample, which has no neighbor.

    See Also
    --------
    information_maximization_scorer : Wants the classes to be balanced.

    Notes
    -----
    To predict the same for every row has the best score of all, as for
    :func:`prediction_entropy_scorer`.

    References
    ----------
    .. [1] K. Saito et al., "Tune it the Right Way: Unsupervised Validation of Domain
       Adaptation via Soft Neighborhood Density", ICCV 2021. arXiv:2108.10860.

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> from skda.model_selection import soft_neighborhood_density_scorer
    >>> constant = DummyClassifier().fit([[0.0], [1.0], [2.0]], [0, 0, 1])
    >>> soft_neighborhood_density_scorer(constant, [[0.0], [1.0], [2.0]])  # log 2
    0.693
    """
    probabilities = predict_proba_rows(estimator, X)
    if len(probabilities) < 2:
        raise ValueError(
            f"Expected two samples at least, got {len(probabilities)}: a sample alone "
            f"has no neighbors, score more of them."
        )
    parts = pairwise_distances_chunked(
        probabilities,
        metric="cosine",
        reduce_func=_neighborhood_entropies,
        working_memory=min(get_config()["working_memory"], WORKING_MEMORY),
    )
    return float(np.concatenate(list(parts)).mean())


def predict_proba_rows(estimator: Any, X: ArrayLike) -> NDArray[np.float64]:
    """Predict the classes of samples, in a precision that adds up."""
    if not hasattr(estimator, "predict_proba"):
        raise TypeError(
            f"Expected an estimator with predict_proba, got {estimator!r}: score it by "
            f"labels, on the folds of skda.model_selection.LabeledFold."
        )
    return np.asarray(estimator.predict_proba(X), dtype=np.float64)


def _entropy(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Entropy, along the last axis."""
    return np.asarray(entr(probabilities).sum(axis=-1))


def _neighborhood_entropies(
    distances: NDArray[np.float64], start: int
) -> NDArray[np.float64]:
    """Entropy of the neighbors of some rows, the first of which is row ``start``."""
    rows = np.arange(len(distances))
    # The one that is added to every similarity cancels.
    logits = distances / -TEMPERATURE  # (n_rows, n)
    logits[rows, start + rows] = -np.inf  # no row is its own neighbor
    logits -= logsumexp(logits, axis=1, keepdims=True)
    return _entropy(np.exp(logits))
