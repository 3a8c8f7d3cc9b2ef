"""A linear map from target to source, and the source's classifier."""

from __future__ import annotations

from numbers import Real
from typing import Any, ClassVar

from numpy.typing import NDArray
from sklearn.linear_model import Ridge

from skda.base import DomainName, PairedRows, Rows
from skda.heterogeneous._mapped import BaseMappedClassifier
from skda.utils._sklearn import Interval
from skda.utils.warnings import warn_user

__all__ = ["PairedRidgeTransfer"]


class PairedRidgeTransfer(BaseMappedClassifier):
    r"""Linear map from target to source by pairs, and a classifier of the source.

    The control of every method that learns from pairs: two lines of scikit-learn. With
    the sides :math:`x_i` and :math:`u_i` of the pairs in source and target, the map
    minimizes

    .. math:: \sum_i \lVert x_i - W u_i - b \rVert^2 + \alpha \lVert W \rVert_F^2 .
        \tag{1}

    A classifier of labeled source rows then labels the mapped rows :math:`W u + b`.
    Labeled target rows, mapped, join its training: ``use_target_labels=False`` is the
    pure control, and what :meth:`published` returns. Unlabeled rows have no part in it,
    but for those of pairs. Without a source, the classifier learns from the labeled
    target rows as they are.

    The steps of a pipeline before this one see the target only: pass
    ``source_transformer`` and ``target_transformer`` instead. Further fitted attributes
    are those of :class:`skda.base.BaseDomainClassifier`.

    Parameters
    ----------
    estimator : estimator object, default=None
        Classifier of the mapped rows. None is ``LinearSVC(C=0.1, random_state=0)``; it
        sums up the features of every class, so that errors of the map average out.
        (``SVC(kernel="linear")`` counts the votes of pairs of classes, which the map
        moves close together.)
        Without ``predict_proba``, probabilities are the softmax of the decision
        function, if that has a score for each class, else certain.
    alpha : float, default=1.0
        Ridge :math:`\alpha` of the map.
    use_target_labels : bool, default=True
        Whether labeled target rows join the training, mapped. They do in any case if no
        source row is labeled.
    scaling : {"feature"} or None, default="feature"
        Whether to standardize every feature of either domain, by the rows of ``X`` and
        of the source.
    source_transformer, target_transformer : transformer, default=None
        Cloned, fitted on the samples of that domain and applied to them and to its side
        of the pairs ever after.

    Attributes
    ----------
    estimator_ : estimator object
        The fitted classifier, on labels encoded as places in ``classes_``.
    ridge_ : Ridge
        The map :math:`W, b`; only there with a source.

    See Also
    --------
    HHTL : Maps hidden layers too.
    DATN : Maps between networks that learn along.
    skda.baselines.TargetOnly : Any classifier, without the source.

    Notes
    -----
    With fewer pairs than features the ridge alone settles the map, and with one pair
    there is nothing but :math:`b`: every target row becomes the same.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skda.heterogeneous import PairedRidgeTransfer
    >>> X, y = load_digits(return_X_y=True)
    >>> left, right = X[:900, ::2], X[:900, 1::2]  # two views of the same digits
    >>> source, pairs = (left[:400], y[:400]), (left[400:500], right[400:500])
    >>> clf = PairedRidgeTransfer()
    >>> clf = clf.fit(right[500:550], y[500:550], source=source, pairs=pairs)
    >>> clf.predict(right[550:]).shape
    (350,)
    """

    _of_source: ClassVar[tuple[str, ...]] = ("ridge_",)
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseMappedClassifier._parameter_constraints,
        "alpha": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(
        self,
        estimator: Any = None,
        *,
        alpha: float = 1.0,
        use_target_labels: bool = True,
        scaling: str | None = "feature",
        source_transformer: Any = None,
        target_transformer: Any = None,
    ) -> None:
        self.estimator = estimator
        self.alpha = alpha
        self.use_target_labels = use_target_labels
        self.scaling = scaling
        self.source_transformer = source_transformer
        self.target_transformer = target_transformer

    def _learn_map(self, source: Rows, target: Rows, pairs: PairedRows) -> None:
        n_unlabeled = (~source.labels.known).sum()
        if n_unlabeled:
            warn_user(
                f"PairedRidgeTransfer leaves out {n_unlabeled} unlabeled source "
                f"samples."
            )
        self.ridge_ = Ridge(alpha=self.alpha).fit(pairs.target, pairs.source)

    def _features(self, X: NDArray[Any], domain: DomainName) -> NDArray[Any]:
        return X if domain == "source" else self.ridge_.predict(X)
