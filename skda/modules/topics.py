"""Topics of a network's features, and the features of a batch to find them in."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice
from typing import Any

import torch
from torch import Tensor, nn

from skda.modules.receptors import Regression, TopicAutoEncoder, TopicReceptors

__all__ = ["FeatureRecorder", "Topics"]

#: Most rows to look at once, outside of the training.
N_ROWS = 512


class FeatureRecorder:
    """A network that remembers the features of the batch it was last asked for.

    Parameters
    ----------
    module : OneStreamClassifier
        The network, to which everything is passed on.
    """

    def __init__(self, module: Any) -> None:
        self.module = module
        self.features: tuple[Tensor, Tensor] | None = None

    def encode_both(self, X_s: Tensor, X_t: Tensor) -> tuple[Tensor, Tensor]:
        """Map a batch of either domain to features, and keep the first such pair."""
        features: tuple[Tensor, Tensor] = self.module.encode_both(X_s, X_t)
        self.features = self.features or features
        return features

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Pass everything on to the network."""
        return self.module(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.module, name)


class Topics(nn.Module):
    """Topics of features, and what they attend to.

    Parameters
    ----------
    n_features : int
        Number of features ``d``.
    n_topics : int
        Number of topics ``J``.
    attention : {"encoder", "receptor", "random", "uniform"}
        Where the attention comes from.
    n_hidden : int
        Number of hidden units of a receptor.
    residual_weighting : bool
        Whether a row counts as much as its receptor is wrong about it.
    decoder_activation : {"relu"} or None
        Activation of the decoder.
    """

    fixed: Tensor

    def __init__(
        self,
        n_features: int,
        n_topics: int,
        *,
        attention: str,
        n_hidden: int,
        residual_weighting: bool,
        decoder_activation: str | None,
    ) -> None:
        super().__init__()
        self.kind = attention
        self.residual_weighting = residual_weighting
        last = nn.ReLU() if decoder_activation == "relu" else None
        self.autoencoder = TopicAutoEncoder(n_features, n_topics, last=last)
        self.receptors: TopicReceptors | None = None
        if attention == "receptor":
            self.receptors = TopicReceptors(n_features, n_topics, n_hidden)
        # Drawn from the same numbers as the rest, or it would be no control.
        uniform = torch.rand(n_topics, n_features)
        fixed = uniform if attention == "random" else torch.ones_like(uniform)
        self.register_buffer("fixed", fixed)

    def regress(self, X: Tensor, l1: float = 0.0) -> Regression | None:
        """Compare the receptors, if there are any, with the topics."""
        if self.receptors is None:
            return None
        return self.receptors.regress(X, self.autoencoder.encode(X), l1)

    def attend(self, regression: Regression) -> Iterator[Tensor]:
        """Yield the attention of the receptors, of shape (j, n, d), for some topics."""
        weights = regression.residuals if self.residual_weighting else None
        return self.receptors.attention(regression.slopes, weights)  # type: ignore[union-attr]

    def gates(self, X: Tensor) -> tuple[Tensor, Tensor]:
        """Factor an attention of rank one, into shapes (n, J) and (J, d)."""
        if self.kind == "encoder":
            return self.autoencoder.attention(X)
        return X.new_ones(len(X), len(self.fixed)), self.fixed

    @torch.no_grad()
    def maps(self, X: Tensor) -> Iterator[Tensor]:
        """Evaluate the attention to rows, some topics at a time.

        Parameters
        ----------
        X : Tensor of shape (n, d)
            Features.

        Yields
        ------
        Tensor of shape (j, n, d)
            Attention of the next topics.
        """
        regression = self.regress(X)
        if regression is not None:
            yield from self.attend(regression)
            return
        gates, weights = self.gates(X)
        for gate, weight in zip(gates.T, weights, strict=True):
            yield (gate[:, None] * weight)[None]

    @torch.no_grad()
    def masks(self, X: Tensor) -> Tensor:
        """Evaluate the mean attention to rows, of shape (J, d)."""
        parts = X.split(N_ROWS)
        sums = [torch.cat([A.sum(dim=1) for A in self.maps(rows)]) for rows in parts]
        return torch.stack(sums).sum(dim=0) / len(X)

    @torch.no_grad()
    def map_of(self, X: Tensor, topic: int) -> Tensor:
        """Evaluate the attention of one topic to rows, of shape (n, d)."""
        parts = [
            next(islice(chain.from_iterable(self.maps(rows)), topic, None))
            for rows in X.split(N_ROWS)
        ]
        return torch.cat(parts)

    @torch.no_grad()
    def go_on_from(self, before: Topics) -> None:
        """Take over what other topics have learned, where the shapes allow it."""
        learned, mine = before.state_dict(), self.state_dict()
        if before.kind != self.kind:
            learned["fixed"] = mine["fixed"]  # which is not learned
        if {k: v.shape for k, v in learned.items()} == {
            k: v.shape for k, v in mine.items()
        }:
            self.load_state_dict(learned)

    @torch.no_grad()
    def row_weights(self, X: Tensor) -> Tensor:
        """Evaluate the norm of the attention to every row, of shape (n, J)."""
        norms = [
            torch.cat([A.norm(dim=2) for A in self.maps(rows)])
            for rows in X.split(N_ROWS)
        ]
        return torch.cat(norms, dim=1).T

    @torch.no_grad()
    def responses(self, X: Tensor) -> tuple[Tensor, Tensor]:
        """Evaluate topics and what the receptors make of them, of shape (n, J) each."""
        topics = self.autoencoder.encode(X)
        if self.receptors is None:
            return topics, topics
        return topics, torch.cat([self.receptors(rows) for rows in X.split(N_ROWS)])
