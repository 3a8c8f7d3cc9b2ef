"""Real data that is always at hand: scikit-learn's digits, seen in two ways."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.utils import Bunch

from skda.datasets._roles import give_roles

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


def load_digits_domains(*, n_pairs: int | None = None) -> Bunch:
    """Load handwritten digits as a source and a target of different features.

    The images come with scikit-learn, so that nothing is downloaded. The source is one
    half of them as pixels, the target the other half as histograms of the orientations
    of their gradients. All labels are given: :func:`label_few` hides them.

    Parameters
    ----------
    n_pairs : int, default=None
        How many images to take from the two halves, as many from either, to be given in
        both kinds of features instead. None is none.

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
        pairs : tuple of ndarray
            Images of neither, as pixels, of shape (n_pairs, 64), and as histograms, of
            shape (n_pairs, 48); only with ``n_pairs``.
        DESCR : str
            What the data is.

        and as many rows less in ``X`` and ``source`` as there are pairs.

    Raises
    ------
    ValueError
        If the pairs take all images of a digit from a domain.

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
    images = digits.images / 16  # (n, 8, 8) in [0, 1]
    views = images.reshape(len(images), -1), _orientation_histograms(images)
    rows = np.arange(len(images))
    halves = rows[:_N_SOURCE], rows[_N_SOURCE:]
    task = give_roles(views, digits.target, halves, n_pairs)
    return Bunch(**task, target_names=digits.target_names, DESCR=_DESCR)


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
