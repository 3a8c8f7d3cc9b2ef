"""Coefficients of the distances between the means of two domains, and of classes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["mmd_coefficients"]


def mmd_coefficients(
    source: NDArray[Any], target: NDArray[Any], n_classes: int
) -> NDArray[np.float64]:
    r"""Weigh rows so that a product is the difference of two means.

    With :math:`E` what is returned and :math:`X` the rows of both domains, the source
    first, the rows of :math:`E^\top X` are the difference of the means of the domains
    and those of every class, and their squares sum to
    :math:`\operatorname{tr}(X^\top E E^\top X)`, the squared maximum mean discrepancy
    of the domains and of the classes [1]_. The matrix :math:`E E^\top`, of
    :math:`(n_s + n_t)^2` entries, is thus never needed.

    Parameters
    ----------
    source : ndarray of shape (n_source,)
        Class of every source row, from 0 to ``n_classes - 1``; -1 where unknown.
    target : ndarray of shape (n_target,)
        Class of every target row, which may be a pseudo-label; -1 where unknown.
    n_classes : int
        Number of classes.

    Returns
    -------
    ndarray of shape (n_source + n_target, 1 + n_classes)
        :math:`E`: in column 0, :math:`1 / n_s` for a source row and :math:`-1 / n_t`
        for a target row; in column :math:`1 + k` the same for the rows of class
        :math:`k`. A column whose class, or domain, has no row on one side is zero.

    References
    ----------
    .. [1] M. Long et al., "Transfer Feature Learning with Joint Distribution
       Adaptation", ICCV 2013. doi:10.1109/ICCV.2013.274.

    Examples
    --------
    >>> import numpy as np
    >>> from skda.utils.mmd import mmd_coefficients
    >>> mmd_coefficients(np.array([0, 0, 1]), np.array([-1, 0]), n_classes=2)
    array([[ 0.33,  0.5 ,  0. ],
           [ 0.33,  0.5 ,  0. ],
           [ 0.33,  0.  ,  0. ],
           [-0.5 ,  0.  ,  0. ],
           [-0.5 , -1.  ,  0. ]])
    """
    first, second = (_memberships(codes, n_classes) for codes in (source, target))
    counts = np.stack([first.sum(axis=0), second.sum(axis=0)])
    counts[:, ~counts.all(axis=0)] = np.inf
    return np.concatenate([first / counts[0], -second / counts[1]])


def _memberships(codes: NDArray[Any], n_classes: int) -> NDArray[np.float64]:
    """Mark the domain, in column 0, and the class of every row."""
    return np.column_stack(
        [np.ones(len(codes)), codes[:, None] == np.arange(n_classes)]
    )
