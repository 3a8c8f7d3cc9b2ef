"""Domains drawn at random, of any size and width."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray
from sklearn.utils import Bunch, check_random_state, check_scalar

from skda.datasets._labels import label_few

__all__ = ["make_heterogeneous_domains"]

_Domain = tuple[NDArray[np.float64], NDArray[np.int64]]


def make_heterogeneous_domains(
    n_source: int = 300,
    n_target: int = 300,
    *,
    n_classes: int = 4,
    n_source_features: int = 20,
    n_target_features: int = 30,
    n_latent: int = 10,
    n_labeled_per_class: int = 3,
    class_sep: float = 1.0,
    noise: float = 0.1,
    random_state: int | RandomState | None = None,
) -> Bunch:
    r"""Draw two domains that see the same classes through different features.

    Both domains draw from the same Gaussian clusters, one per class, in a latent space.
    Each sees a latent row :math:`z` through a random map of its own,

    .. math:: x = \tanh(W z) + \text{noise},

    mildly non-linear, because :math:`W` is scaled so that :math:`Wz` has variance one.

    Parameters
    ----------
    n_source, n_target : int, default=300
        Rows of the domain, spread evenly over the classes.
    n_classes : int, default=4
        Number of classes.
    n_source_features, n_target_features : int, default=20, 30
        Width of the domain.
    n_latent : int, default=10
        Width of the latent space.
    n_labeled_per_class : int, default=3
        How many target rows of each class are labeled.
    class_sep : float, default=1.0
        Standard deviation of the class means, where that within a class is one.
    noise : float, default=0.1
        Standard deviation of the noise on every feature.
    random_state : int, RandomState instance or None, default=None
        Seed of everything that is drawn.

    Returns
    -------
    Bunch
        With the attributes

        X : ndarray of shape (n_target, n_target_features)
            Rows of the target.
        y : ndarray of shape (n_target,)
            Their labels as an estimator may see them, -1 for unlabeled.
        y_true : ndarray of shape (n_target,)
            All their labels.
        source : tuple of ndarray
            Rows, of shape (n_source, n_source_features), and labels of the source.

    Examples
    --------
    >>> from skda.datasets import make_heterogeneous_domains
    >>> domains = make_heterogeneous_domains(200, 100, random_state=0)
    >>> domains.X.shape, domains.source[0].shape
    ((100, 30), (200, 20))
    >>> int((domains.y >= 0).sum())
    12
    """
    sizes = {
        "n_source": n_source,
        "n_target": n_target,
        "n_source_features": n_source_features,
        "n_target_features": n_target_features,
        "n_latent": n_latent,
    }
    for name, size in sizes.items():
        check_scalar(size, name, Integral, min_val=1)
    check_scalar(n_classes, "n_classes", Integral, min_val=2)
    check_scalar(class_sep, "class_sep", Real, min_val=0)
    check_scalar(noise, "noise", Real, min_val=0)

    rng = check_random_state(random_state)
    means = class_sep * rng.standard_normal((n_classes, n_latent))
    scale = np.sqrt(n_latent * (1 + class_sep**2))

    def domain(n_rows: int, width: int) -> tuple[NDArray[Any], NDArray[np.int64]]:
        y = rng.permutation(np.arange(n_rows) % n_classes)
        z = means[y] + rng.standard_normal((n_rows, n_latent))
        W = rng.standard_normal((n_latent, width)) / scale
        return np.tanh(z @ W) + noise * rng.standard_normal((n_rows, width)), y

    source = domain(n_source, n_source_features)
    X, y_true = domain(n_target, n_target_features)
    y = label_few(y_true, n_labeled_per_class, rng)
    return Bunch(X=X, y=y, y_true=y_true, source=source)
