"""Base classes of the controls that learn from the target alone."""

from __future__ import annotations

from dataclasses import field
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.pipeline import make_pipeline

from skda.base import BaseDomainClassifier, Rows, estimator
from skda.preprocessing import RowScaler
from skda.utils.class_prior import (
    ClassPrior,
    FormerPrior,
    has_mostly_zeros,
    resolve_class_prior,
    take_former_prior,
    warn_about_shares,
)
from skda.utils.ranges import Auto, Power, Transformer
from skda.utils.scaling import make_standard_scaler
from skda.utils.validation import apply_transformer
from skda.utils.warnings import warn_user

__all__ = [
    "MIN_SHARE",
    "RenamedShareControl",
    "ShareControl",
    "TargetControl",
    "TargetLearner",
]

#: Least share that a row may have of a class, so that balance is always possible.
MIN_SHARE = 1e-12


@estimator
class TargetLearner(BaseDomainClassifier):
    """Learn from the target alone, by the call of a method that adapts.

    Parameters
    ----------
    target_transformer : transformer
        Cloned, fitted on the target samples and applied to them ever after.
    """

    source_transformer: Transformer = field(default=None, init=False)

    uses_source: ClassVar[bool] = False
    __metadata_request__fit: ClassVar[dict[str, bool]] = {"source": True, "pairs": True}

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike | None = None,
        *,
        source: Any = None,
        pairs: Any = None,
    ) -> Self:
        """Fit to a partially labeled target.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_target, n_features)
            Target samples.
        y : array-like of shape (n_target,)
            Target labels; -1, None, NaN or pandas.NA where unknown.
        source : tuple (X_source, y_source), default=None
            Ignored, so that the call is the one of an adaptation method.
        pairs : tuple or array-like, default=None
            Ignored, too.

        Returns
        -------
        self : object
            Fitted estimator.
        """
        return super().fit(X, y)


@estimator
class TargetControl(TargetLearner):
    """Learn from the rows of the target, labeled or not, and from no source.

    A subclass takes rows through :meth:`_fit_representations` and :meth:`_represent`.

    Parameters
    ----------
    power : float, "auto" or None
        Power of the features before the rows are scaled to unit length, see
        :class:`skda.preprocessing.RowScaler`; None leaves the rows as they are,
        whatever ``standardize`` says.
    standardize : bool or "auto"
        Whether to learn from z-scores, in rows of unit length, as well: unit rows are
        not for tables, and z-scores not for texts, whose rare words they blow up.
        "auto" does it unless more than nine in ten values are zero.
    """

    power: Power | None = "auto"
    standardize: bool | Auto = "auto"

    published_params: ClassVar[dict[str, Any]] = {"standardize": False}

    def _fit_representations(self, X: NDArray[Any]) -> list[NDArray[Any]]:
        """Learn how rows are represented, and represent those of the fit.

        Parameters
        ----------
        X : ndarray of shape (n, p)
            Rows of the target.

        Returns
        -------
        list of ndarray of shape (n, p)
            The same rows, one array per representation.
        """
        self._representations: list[Any] = [None]
        if self.power is not None:
            self._representations = [RowScaler(self.power).fit(X)]
            wanted = self.standardize
            if wanted == "auto":
                wanted = not has_mostly_zeros(X)
            if wanted:
                scores = make_pipeline(make_standard_scaler(), RowScaler(1.0))
                self._representations.append(scores.fit(X))
        return self._represent(X)

    def _represent(self, X: NDArray[Any]) -> list[NDArray[Any]]:
        """Represent rows as in the fit.

        Parameters
        ----------
        X : ndarray of shape (n, p)
            Rows of the target.

        Returns
        -------
        list of ndarray of shape (n, p)
            The same rows, one array per representation.
        """
        return [
            apply_transformer(transformer, X, fitting=False)
            for transformer in self._representations
        ]


@estimator
class ShareControl(TargetControl):
    r"""Learn from the target's rows, and from the shares of its classes.

    Parameters
    ----------
    class_prior : {"estimate", "labeled", "balanced"} or array-like
        Shares :math:`\pi` that the classes have of the unlabeled rows: estimated ones,
        the mean probabilities of logistic regressions on the labeled rows; those of the
        labels, which are right if these were drawn at random; equal ones; or given
        ones, of shape (n_classes,), in the order of ``classes_``.

    Attributes
    ----------
    class_prior_ : ndarray of shape (n_classes,)
        The shares.
    """

    class_prior: ClassPrior = "estimate"

    def _determine_shares(self, target: Rows) -> None:
        """Determine the shares of the classes, and say if the data contradict them.

        Parameters
        ----------
        target : Rows
            Rows of the target before they are represented, and their labels.
        """
        class_prior = self._passed_class_prior()
        self.class_prior_: Any = resolve_class_prior(
            class_prior, target.X, target.labels, self.classes_
        )
        if isinstance(class_prior, str) and self._keeps_to_shares():
            warn_about_shares(
                type(self).__name__,
                class_prior,
                self.class_prior_,
                X=target.X,
                labels=target.labels,
                classes=self.classes_,
            )

    def _keeps_to_shares(self) -> bool:
        """Say whether wrong shares would do any harm."""
        return True

    def _passed_class_prior(self) -> Any:
        return self.class_prior


@estimator
class RenamedShareControl(ShareControl):
    """Take the class prior by its former name as well.

    Parameters
    ----------
    prior : {"labeled"}, array-like of shape (n_classes,) or None
        Former name of ``class_prior``, where None was "balanced".

        .. deprecated:: 0.1
            Pass ``class_prior``.
    """

    prior: FormerPrior = "deprecated"

    published_params: ClassVar[dict[str, Any]] = TargetControl.published_params | {
        "class_prior": "labeled"
    }

    @classmethod
    def published(cls, **overrides: Any) -> Self:
        if "prior" in overrides:  # which takes the place of the class prior
            overrides = {"class_prior": "estimate"} | overrides
        return super().published(**overrides)

    @property
    def prior_(self) -> NDArray[np.float64]:
        """Former name of ``class_prior_``."""
        warn_user(
            f"prior_ of {type(self).__name__} is now class_prior_, and will be removed "
            f"in the next release.",
            FutureWarning,
        )
        return self.class_prior_

    def _passed_class_prior(self) -> Any:
        return take_former_prior(self)
