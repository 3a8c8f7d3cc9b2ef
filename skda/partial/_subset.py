"""The rule of the family: the target has no class that the source has not."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skda.base import Rows
from skda.utils.labels import Labels, check_labels, union_of_classes

__all__ = ["SubsetMixin", "check_known"]


class SubsetMixin:
    """Hold the target's labels to the classes of the source.

    It comes before the base class of a classifier that has the features of the source.
    """

    classes_: NDArray[Any]

    def _check_domains(self, X: Any, y: Any, source: Any) -> tuple[Rows, Rows]:
        """Check both domains, and that the source has all classes of the target."""
        parent: Any = super()
        if source is None:
            return parent._check_domains(X, y, source)
        # Without labels of the target, the classes are those of the source.
        labeled, unlabeled = parent._check_domains(X, None, source)
        name = type(self).__name__
        if len(self.classes_) < 2:
            (only,) = self.classes_.tolist()
            raise ValueError(
                f"{name} expects a source of two classes or more, got one class, "
                f"{only!r}: add samples of other classes."
            )
        labels = check_labels(y, unlabeled.X)
        check_known(labels, self.classes_, name)
        return labeled, unlabeled._replace(labels=labels)


def check_known(labels: Labels, classes: NDArray[Any], name: str) -> None:
    """Reject labels of the target that are no classes of the source.

    Parameters
    ----------
    labels : Labels
        Labels of the target.
    classes : ndarray of shape (n_classes,)
        Classes of the source.
    name : str
        Who is asking.

    Raises
    ------
    ValueError
        If there is one, by name.
    """
    everything = Labels(np.ones(len(classes), dtype=bool), classes)
    unknown = np.setdiff1d(union_of_classes(everything, labels), classes).tolist()
    if unknown:
        raise ValueError(
            f"{name} expects a target whose classes are among the source's, got the "
            f"label {', '.join(map(repr, unknown))}, which no source sample has: add "
            f"source samples of it, or take a method of skda.unsupervised."
        )
