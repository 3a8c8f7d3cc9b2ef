"""Retrievers that train a network."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from skda.base._retriever import BaseRetriever
from skda.training import Batch, Domain, Domains, NetTraining, Objective, Pairs, Phase
from skda.utils.declaration import estimator
from skda.utils.ranges import Count, Fraction, LayerSizes
from skda.utils.validation import as_tensor, check_device
from skda.utils.views import ViewRows

__all__ = ["BaseNetRetriever"]


@estimator
class BaseNetRetriever(NetTraining, BaseRetriever):
    """Map views into one space by a network for each of them.

    A subclass declares its hyper-parameters and overrides :meth:`make_module`, what to
    train, :meth:`make_objective`, what to minimize, and perhaps :meth:`select_pairs`.

    Parameters
    ----------
    n_components
        Dimension of the common space.
    hidden_layer_sizes
        Widths of the hidden layers of every network.
    dropout
        Fraction of the hidden units to drop in training.
    max_epochs
        Passes over the pairs.
    batch_size
        Most pairs to draw at every step; -1 for all of them.
    device : str or torch.device
        Where to train and embed; "auto" is CUDA where there is one.
    random_state : int, RandomState instance or None
        Seed of the initial weights, of the batches and of the dropout.
    """

    n_components: Count = 128
    hidden_layer_sizes: LayerSizes = (512, 512)
    dropout: Fraction = 0.0
    max_epochs = 50

    _dtype: ClassVar[type] = np.float32

    @abstractmethod
    def make_module(self, widths: dict[str, int], n_classes: int) -> nn.Module:
        """Build the network.

        Parameters
        ----------
        widths : dict of str to int
            Number of features of every view.
        n_classes : int
            Number of labeled categories.

        Returns
        -------
        nn.Module
            Its ``encode(X, view)`` maps rows of one view, of shape (n, p), into the
            common space, of shape (n, d).
        """

    @abstractmethod
    def make_objective(self, source: ViewRows, target: ViewRows) -> Objective:
        """Build what the network minimizes.

        Parameters
        ----------
        source, target : ViewRows
            Pairs of known and of new categories.

        Returns
        -------
        Objective
            Module that maps network, batch and progress to weighted terms.
        """

    def select_pairs(self, source: ViewRows, target: ViewRows) -> ViewRows:
        """Choose the pairs to train on.

        Parameters
        ----------
        source, target : ViewRows
            Pairs of known and of new categories.

        Returns
        -------
        ViewRows
            All of them, unless a method says otherwise.
        """
        return source.stack(target)

    def set_fitted_attributes(self, source: ViewRows, target: ViewRows) -> None:
        """Set the fitted attributes of the method.

        Parameters
        ----------
        source, target : ViewRows
            Pairs of known and of new categories.
        """

    def fit_views(self, source: ViewRows, target: ViewRows) -> None:
        device = check_device(self.device)
        pairs = self.select_pairs(source, target)
        arrays = (
            np.hstack(list(pairs.views.values())),
            pairs.labels.memberships(self.classes_),
            np.arange(pairs.n_rows),
        )
        domain = Domain(*(as_tensor(array, device) for array in arrays))
        nothing = Domain(*(part[:0] for part in domain))
        domains = Domains(Batch(nothing, domain, Pairs(nothing.X, nothing.X)))
        task = pairs.widths, self.classes_.tolist()
        randomness = self._randomness(device)
        max_epochs = self._n_epochs(self._loader(domains, seed=randomness.seed))
        with randomness.of_default_generators():
            phases = [Phase(self.make_objective(source, target), max_epochs)]
            module = self._network(
                task, lambda: self.make_module(pairs.widths, len(self.classes_))
            )
        self._run(module, phases, domains, randomness, seed=randomness.seed)
        self.set_fitted_attributes(source, target)

    def _sample_outputs(
        self, module: Any, domains: Domains, device: torch.device
    ) -> dict[str, Tensor]:
        rows = domains.whole.target.X[:16].to(device)
        views = rows.split(list(self.view_widths_.values()), dim=1)
        named = zip(self.view_widths_, views, strict=True)
        return {f"view {name!r}": module.encode(X, name) for name, X in named}

    def embed_rows(self, X: NDArray[Any], view: str) -> NDArray[np.floating]:
        module = self.net_.module_
        return self.net_.evaluate(lambda rows: module.encode(rows, view), X)
