"""Score an unsupervised method on labels that it has not seen."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import clone

from skda.model_selection._method_inside import BaseMethodInside
from skda.utils._sklearn import HasMethods, fit_context
from skda.utils.labels import UNLABELED, check_labels

__all__ = ["HideLabels"]


class HideLabels(BaseMethodInside):
    """Fit without the target's labels, score with them.

    A method that is to work without target labels must not see them in
    cross-validation either, where they are needed to score it, and an adaptation method
    uses any label that it is given. This hides them all in ``fit``: whatever ``y`` is,
    the fit is the same.

    Parameters
    ----------
    estimator : estimator object
        Adaptation method.

    Attributes
    ----------
    estimator_ : estimator object
        The fitted method. What it has learned, such as ``classes_``, ``history_`` or
        ``transduction_``, is to be had under the same name here.

    See Also
    --------
    LabeledFold : Split where the labels are few rather than hidden.

    Notes
    -----
    Choosing among parameters by such a score still looks at target labels. It tells how
    good a method can be, not how good it is where there are none.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from sklearn.model_selection import cross_val_score
    >>> from skda.model_selection import HideLabels
    >>> from skda.unsupervised import SPL
    >>> X, y = make_blobs(200, n_features=5, random_state=0)
    >>> clf, source = HideLabels(SPL()), {"source": (X[100:], y[100:])}
    >>> cross_val_score(clf, X[:100] + 1, y[:100], cv=3, params=source).shape
    (3,)
    >>> clf.fit(X[:100] + 1, y[:100], **source).classes_
    array([0, 1, 2])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "estimator": [HasMethods(["fit"])],
    }
    _hides_labels: ClassVar[bool] = True  # displays look at what is inside

    def __init__(self, estimator: Any) -> None:
        self.estimator = estimator

    # The estimator may itself be a search or a pipeline, which validates its own.
    @fit_context(prefer_skip_nested_validation=False)
    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike | None = None,
        *,
        source: tuple[ArrayLike, ArrayLike] | None = None,
        pairs: Any = None,
    ) -> Self:
        """Fit the method to an unlabeled target.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_target, n_features)
            Target samples.
        y : array-like of shape (n_target,), default=None
            Target labels, which are checked, and of which none is learned from.
        source : tuple (X_source, y_source), default=None
            Source samples and labels, which the method is given if they are not None.
        pairs : tuple or array-like, default=None
            Co-occurring samples, which the method is given if they are not None.

        Returns
        -------
        self : object
            Fitted estimator.

        Raises
        ------
        ValueError
            If the method finds nothing to learn from, as without a source.
        """
        hidden = None
        if y is not None:  # wrong ones, such as dates, would be an error of the score
            hidden = np.full(len(check_labels(y, y).known), UNLABELED)
        metadata = {"source": source, "pairs": pairs}
        given = {name: value for name, value in metadata.items() if value is not None}
        estimator = clone(self.estimator)
        try:
            self.estimator_ = estimator.fit(X, hidden, **given)
        except ValueError as error:
            if source is None:
                error.add_note(
                    "HideLabels hides every target label, so there is only a source to "
                    "learn from: pass source=(X_source, y_source)."
                )
            raise
        return self
