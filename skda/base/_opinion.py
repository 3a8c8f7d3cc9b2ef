"""An opinion from elsewhere, as a fit is given it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skda.utils.labels import Labels
from skda.utils.probabilities import Columns, check_probabilities, find_columns

__all__ = ["OpinionMixin"]


class OpinionMixin:
    """Let a fit of a classifier of two domains take ``probabilities``.

    With them it needs neither labels nor a source. It comes before the base class.
    """

    __metadata_request__fit: ClassVar[dict[str, bool]] = {
        "probabilities": True,
        "classes": True,
    }
    _given: tuple[Any, Any]
    _columns: Columns | None

    @contextmanager
    def holding_opinion(self, probabilities: Any, classes: Any) -> Iterator[None]:
        """Have the opinion at hand as long as the fit lasts.

        Parameters
        ----------
        probabilities : array-like of shape (n_target, n_classes) or None
            The user's.
        classes : array-like of shape (n_classes,) or None
            Classes of its columns.

        Yields
        ------
        None
            Nothing.
        """
        if probabilities is None and classes is not None:
            raise ValueError(
                f"{type(self).__name__} got classes without probabilities, whose "
                f"columns they name: pass both, or neither."
            )
        self._given = probabilities, classes
        try:
            yield
        finally:
            self.__dict__.pop("_given", None)  # which a failed fit has lost

    def given_probabilities(self, n_rows: int) -> NDArray[np.float64] | None:
        """Check the opinion that the fit was given.

        Parameters
        ----------
        n_rows : int
            Number of rows of the target.

        Returns
        -------
        ndarray of shape (n_rows, n_classes) or None
            Probabilities, in the order of ``classes_``; None if there are none.
        """
        if self._columns is None:
            return None
        return check_probabilities(self._given[0], n_rows, self._columns)

    def _learns_from_labels(self) -> bool:
        return self._given[0] is None

    def _find_classes(self, source: Labels, target: Labels) -> NDArray[Any]:
        self._columns = None
        if self._learns_from_labels():
            base: Any = super()
            return base._find_classes(source, target)
        name = type(self).__name__
        self._columns = find_columns(self._given[1], source, target, name)
        return self._columns.classes
