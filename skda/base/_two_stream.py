"""Classifiers with an encoder per domain and a classifier for both."""

from __future__ import annotations

from typing import Any

from skda.base._net_classifier import BaseNetClassifier, Sizes
from skda.base._rows import DomainName, Rows
from skda.preprocessing import row_preprocessor
from skda.utils.declaration import estimator
from skda.utils.ranges import Auto, Count, Positive, Power, Transformer
from skda.utils.warnings import warn_user

__all__ = ["BaseTwoStreamClassifier"]


@estimator
class BaseTwoStreamClassifier(BaseNetClassifier):
    r"""Classify a target by a network with an encoder per domain.

    What SSAN and STN share: the layout of the network, the rows before it, and a few
    source rows per class in every step.

    Parameters
    ----------
    n_components
        Dimension of the common space.
    n_hidden
        Width of the hidden layers; None is halfway between a domain's features and
        ``n_components``, as in the public code.
    leaky_logits
        Whether a leaky ReLU follows the classifier, as in the public code.
    init_std
        Standard deviation of the initial weights and biases.
    power : float or "auto"
        Power of every feature; "auto" is the square root in a domain that has no
        negative feature, else 1. The public code takes 1.
    normalize : {"auto"} or bool
        Whether to scale every row to unit length after that. "auto" does, unless fewer
        than 16 features make up the length of a row, as in tables: in such a domain the
        features are standardized instead, without a power. With :math:`a_j` the mean
        absolute value of a feature, :math:`(\sum a_j)^2 / \sum a_j^2` of them make it
        up.
    n_neighbors : {"auto"}, int or None
        Neighbors with which a :class:`skda.preprocessing.GraphSmoother` smooths target
        rows, and therefore keeps them; "auto" is 10 for rows of unit length, whose
        cosines make the graph, and None for standardized features. None, as in the
        public code, does not smooth.
    neighbors : transformer
        What searches for neighbors, after
        :class:`sklearn.neighbors.KNeighborsTransformer`, by the Euclidean distance.
        None searches exactly up to 10,000 rows, beyond by an approximate index of faiss
        (``pip install 'skda[faiss]'``).
    source_per_class
        Source rows of every class in a step; None, as in the public code, is all.
    """

    n_components: Count = 256
    n_hidden: Count | None = 256
    leaky_logits: bool = False
    init_std: Positive = 0.01
    power: Power = "auto"
    normalize: bool | Auto = "auto"
    n_neighbors: Count | Auto | None = "auto"
    neighbors: Transformer = None
    source_per_class: Count | None = 20

    def fit_rows(self, source: Rows, target: Rows) -> None:
        if not target.labels.known.any():
            warn_user(
                f"{type(self).__name__} got no label of the target: nothing then tells "
                f"which class of the source is which in the target, whose features go "
                f"through an encoder of their own, and predictions are no better than "
                f"chance. Pass a few target labels in y."
            )
        known = source.labels.known
        if self.source_per_class is not None and 0 < known.sum() < len(known):
            warn_user(
                f"{type(self).__name__} leaves out {(~known).sum()} unlabeled source "
                f"samples, as every step draws labeled ones: pass "
                f"source_per_class=None to use them."
            )
        super().fit_rows(source, target)

    def _layout(self, sizes: Sizes) -> dict[str, Any]:
        """Collect the arguments of a ``TwoStreamClassifier``."""
        return {
            "widths": sizes.widths,
            "n_components": self.n_components,
            "n_classes": sizes.n_classes,
            "n_hidden": self.n_hidden,
            "leaky_logits": self.leaky_logits,
        }

    def make_preprocessor(self, domain: DomainName) -> Any:
        return row_preprocessor(
            domain,
            power=self.power,
            normalize=self.normalize,
            n_neighbors=self.n_neighbors,
            neighbors=self.neighbors,
        )

    def _source_per_class(self) -> int | None:
        return self.source_per_class
