"""Heterogeneous feature augmentation."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from sklearn.svm import SVC

from skda.base import Rows, estimator
from skda.heterogeneous._augmented import Array, BaseAugmentedClassifier
from skda.heterogeneous._squared_hinge import signs_of
from skda.utils.ranges import NonNegative, Positive

__all__ = ["HFA"]


@estimator
class HFA(BaseAugmentedClassifier):
    r"""Heterogeneous feature augmentation: a support vector machine of both domains.

    Classifies a target by a few labeled rows and a labeled source that has other
    features [1]_. Rows are mapped into a common space by :math:`P` and :math:`Q`, and
    augmented by what they were,

    .. math:: \varphi_s(x) = [P x; x; 0], \qquad \varphi_t(x) = [Q x; 0; x]. \tag{1}

    One support vector machine per class separates the augmented rows, and chooses
    :math:`P` and :math:`Q` of bounded norm so that this is easiest. Only the metric
    :math:`H = [P, Q]^\top [P, Q]` matters. With the kernel
    :math:`K = \operatorname{diag}(K_s, K_t)` of the rows and their signs :math:`y`, the
    problem is convex [2]_,

    .. math::

        \min_{H \succeq 0, \, \operatorname{tr} H \leq \lambda} \; \max_{\alpha} \;
        \sum_i \alpha_i - \tfrac12 (\alpha \circ y)^\top K^{1/2} (H + I) K^{1/2}
        (\alpha \circ y), \tag{2}

    over :math:`0 \leq \alpha_i \leq C_i` with :math:`\alpha^\top y = 0`.

    **In closed form.** Equation 2 is linear in :math:`H` and concave in
    :math:`\alpha`, so the order of minimum and maximum does not matter. Given
    :math:`\alpha`, the best metric is of rank one,

    .. math:: H = \lambda \frac{v v^\top}{v^\top v}, \qquad
        v = K^{1/2} (\alpha \circ y), \tag{3}

    which leaves the support vector machine whose kernel is :math:`(1 + \lambda) K`.
    Nothing else has to be solved: no square root, and none of the metrics that the
    papers collect one after the other, to the same end.

    **What it takes from the source** is therefore the intercept. :math:`K` has no
    kernels between the domains, and what :math:`H` adds between them cancels out at the
    solution: :math:`f(x) = (1 + \lambda) \sum_{i \in t} \alpha_i y_i k_t(x_i, x) + b`
    for a row of the target.

    There is no ``transform``, as every class has a common space of its own. Without a
    source, it is the machine of the labeled target rows.

    The steps of a pipeline before this one see the target only: pass
    ``source_transformer`` and ``target_transformer`` instead.

    Parameters
    ----------
    lambda_reg
        Bound :math:`\lambda` of the trace of the metric.
    tol
        Tolerance of the solver.

    See Also
    --------
    SHFA : Learns from the unlabeled target rows, too.
    MMDT : Maps the target into the features of the source.

    Notes
    -----
    :math:`k(x, z) = \exp(-\|x - z\|^2 / w)`, where :math:`w` is the mean squared
    distance of two labeled rows of the domain, as in the public code. Its support
    vectors are kept. A fit costs one support vector machine per class, and memory for
    :math:`n^2` kernels of :math:`n` labeled rows.

    :meth:`published` returns the settings of the public code.

    References
    ----------
    .. [1] L. Duan, D. Xu and I. W. Tsang, "Learning with Augmented Features for
       Heterogeneous Domain Adaptation", ICML 2012. arXiv:1206.4660.
    .. [2] W. Li, L. Duan, D. Xu and I. W. Tsang, "Learning with Augmented Features for
       Supervised and Semi-Supervised Heterogeneous Domain Adaptation", IEEE TPAMI
       36(6), 2014. doi:10.1109/TPAMI.2013.167.

    Examples
    --------
    >>> from skda.datasets import make_heterogeneous_domains
    >>> from skda.heterogeneous import HFA
    >>> data = make_heterogeneous_domains(random_state=0)
    >>> clf = HFA().fit(data.X, data.y, source=data.source)
    >>> clf.predict(data.X).shape
    (300,)
    """

    lambda_reg: NonNegative = 100.0
    tol: Positive = 1e-4

    published_params: ClassVar[dict[str, Any]] = {
        "power": 1.0,
        "normalize": True,
        "tol": 1e-3,
    }

    def _solve(self, K: Array, source: Rows, target: Rows) -> tuple[Array, Array]:
        costs = np.repeat([self.C_s, self.C_t], [len(source.X), len(target.X)])
        codes = [rows.labels.codes(self.classes_) for rows in (source, target)]
        signs = signs_of(np.concatenate(codes), len(self.classes_))
        K *= 1 + self.lambda_reg
        coef, intercept = np.zeros(signs.shape), np.zeros(signs.shape[1])
        for k, y in enumerate(signs.T):
            svm = SVC(kernel="precomputed", tol=self.tol, random_state=0)
            svm.fit(K, y, sample_weight=costs)
            coef[svm.support_, k] = (1 + self.lambda_reg) * svm.dual_coef_[0]
            intercept[k] = svm.intercept_[0]
        return coef, intercept
