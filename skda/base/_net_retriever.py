"""Retrievers that train a network."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from torch import nn

from skda.base._retriever import BaseRetriever
from skda.base._training import NetTraining
from skda.data import Batch, Domain, Domains, Pairs
from skda.net import Objective, Phase
from skda.utils._sklearn import Interval
from skda.utils.seeding import seeded
from skda.utils.validation import as_tensor, check_device
from skda.utils.views import ViewRows

__all__ = ["BaseNetRetriever"]


class BaseNetRetriever(NetTraining, BaseRetriever):
    """Map views into one space by a network for each of them.

    A subclass declares its hyperparameters and says what to train (:meth:`_module`),
    on which pairs (:meth:`_pairs`), and what to minimize (:meth:`_objective`).
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseRetriever._parameter_constraints,
        **NetTraining._parameter_constraints,
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "hidden_layer_sizes": ["array-like"],
        "dropout": [Interval(Real, 0, 1, closed="left")],
    }
    _dtype: ClassVar[type] = np.float32
    n_components: int
    hidden_layer_sizes: Sequence[int]
    dropout: float

    @abstractmethod
    def _module(self, widths: dict[str, int], n_classes: int) -> nn.Module:
        """Build the network.

        Its ``encode(X, view)`` maps rows of one view into the common space.
        """

    @abstractmethod
    def _objective(self, source: ViewRows, target: ViewRows) -> Objective:
        """Build what the network minimizes."""

    def _pairs(self, source: ViewRows, target: ViewRows) -> ViewRows:
        """Choose the pairs to train on."""
        return source.stack(target)

    def _describe(self, source: ViewRows, target: ViewRows) -> None:
        """Set the fitted attributes that a method has of its own."""

    def _fit(self, source: ViewRows, target: ViewRows) -> None:
        """Train the network, and describe the training."""
        device = check_device(self.device)
        pairs = self._pairs(source, target)
        arrays = (
            np.hstack(list(pairs.views.values())),
            pairs.labels.memberships(self.classes_),
            np.arange(pairs.n_rows),
        )
        domain = Domain(*(as_tensor(array, device) for array in arrays))
        nothing = Domain(*(part[:0] for part in domain))
        domains = Domains(Batch(nothing, domain, Pairs(nothing.X, nothing.X)))
        task = pairs.widths, self.classes_.tolist()
        with seeded(self.random_state, device) as seed:
            max_epochs = self._n_epochs(self._loader(domains, seed=seed))
            phases = [Phase(self._objective(source, target), max_epochs)]
            module = self._network(
                task, lambda: self._module(pairs.widths, len(self.classes_))
            )
            self._run(module, phases, domains, seed=seed)
        self._describe(source, target)

    def _embed(self, X: NDArray[Any], view: str) -> NDArray[np.floating]:
        module = self.net_.module_
        return self.net_.evaluate(lambda rows: module.encode(rows, view), X)
