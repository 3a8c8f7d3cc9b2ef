"""Real data that is always at hand: scikit-learn's digits, seen in two ways."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.utils import Bunch

__all__ = ["load_digits_domains"]

# Each writer's images begin with the digits in order; here, a new writer begins.
_N_SOURCE = 915

_DESCR = """\
Handwritten digits in two feature spaces
----------------------------------------

The 1797 images of sklearn.datasets.load_digits (8 x 8 pixels, ten digits), cut in two
between two writers, so that no image is on both sides and, by all signs, no hand.

source : 915 images as 64 pixels in [0, 1]
target : 882 images as 48 bins of gradient-orientation histograms: 2 x 2 cells of 4 x 4
         pixels, 12 signed orientations, votes weighted by length, not normalized

A linear SVM on all target labels is right about nearly every image, and with three
labels per class it leaves much to gain.
"""


def load_digits_domains() -> Bunch:
    """Load handwritten digits as a source and a target of different features.

    The images come with scikit-learn, so that nothing is downloaded. The source is one
    half of them as pixels, the target the other half as histograms of the orientations
    of their gradients. All labels are given: :func:`label_few` hides them.

    Returns
    -------
    Bunch
        With the attributes

        X : ndarray of shape (882, 48)
            Rows of the target.
        y : ndarray of shape (882,)
            Their digits, all of them.
        source : tuple of ndarray
            Rows, of shape (915, 64), and digits of the source.
        target_names : ndarray of shape (10,)
            The classes.
        DESCR : str
            What the data is.

    Examples
    --------
    >>> from skda.datasets import label_few, load_digits_domains
    >>> digits = load_digits_domains()
    >>> digits.X.shape, digits.source[0].shape
    ((882, 48), (915, 64))
    >>> y = label_few(digits.y, 3, random_state=0)
    >>> int((y >= 0).sum())
    30
    """
    digits = load_digits()
    images, y = digits.images / 16, digits.target  # (n, 8, 8) in [0, 1]
    X_source = images[:_N_SOURCE].reshape(_N_SOURCE, -1)  # (n_source, 64)
    return Bunch(
        X=_orientation_histograms(images[_N_SOURCE:]),
        y=y[_N_SOURCE:],
        source=(X_source, y[:_N_SOURCE]),
        target_names=digits.target_names,
        DESCR=_DESCR,
    )


def _orientation_histograms(
    images: NDArray[np.float64], n_cells: int = 2, n_bins: int = 12
) -> NDArray[np.float64]:
    n_images, side = images.shape[:2]
    size = side // n_cells
    dy, dx = np.gradient(images, axis=(1, 2))
    turns = np.arctan2(dy, dx) / (2 * np.pi) % 1
    bins = (turns * n_bins).astype(int) % n_bins
    votes = np.eye(n_bins)[bins] * np.hypot(dx, dy)[..., None]  # (n, 8, 8, 12)
    cells = votes.reshape(n_images, n_cells, size, n_cells, size, n_bins)
    return cells.sum(axis=(2, 4)).reshape(n_images, -1)  # (n, 48)
