"""Topics of a network's features, and the features of a batch to find them in."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from skda.modules.receptors import Regression, TopicAutoEncoder, TopicReceptors

__all__ = ["FeatureRecorder", "Topics"]

#: Most rows to look at once, outside of the training.
N_ROWS = 512
#: What receptors see has a row of this mean squared length, and features of this mean
#: variance, whichever is smaller: the largest curvature of the regression grows with
#: both, and the steps are to be stable up to a learning rate of about 0.05.
SQUARED_LENGTH = 64.0
VARIANCE = 0.25
#: Least variance of a topic, relative to the mean over topics: one that was out for a
#: while, and so hardly varied, is not to be divided by next to nothing as it returns.
LEAST_VARIANCE = 0.01
#: Share of the last batch in the running moments, once there have been many.
NEWEST = 0.05


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


class _Moments(nn.Module):
    """Means and variances of columns, running over the steps of a training.

    Parameters
    ----------
    n_columns : int
        Number of columns.
    """

    mean: Tensor
    variance: Tensor
    n_steps: Tensor

    def __init__(self, n_columns: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(n_columns))
        self.register_buffer("variance", torch.ones(n_columns))
        self.register_buffer("n_steps", torch.zeros(()))

    @torch.no_grad()
    def update(self, X: Tensor) -> None:
        """Take in a batch, of shape (n, n_columns); the first one replaces it all."""
        self.n_steps += 1
        share = (1 / self.n_steps).clamp(min=NEWEST)
        X = X.to(self.mean.dtype)
        self.mean += share * (X.mean(dim=0) - self.mean)
        spread = (X - self.mean).square().mean(dim=0)
        self.variance += share * (spread - self.variance)


class _Scales(NamedTuple):
    """What receptors shift features and topics by, and divide them by."""

    shift: Tensor  # (d,)
    scale: Tensor  # ()
    center: Tensor  # (J,)
    spread: Tensor  # (J,)


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
    receptor_scaling : bool
        Whether receptors map centered features of one scale to standardized topics,
        by running moments.
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
        receptor_scaling: bool,
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
        self.feature_moments: _Moments | None = None
        self.topic_moments: _Moments | None = None
        if self.receptors is not None and receptor_scaling:
            self.feature_moments = _Moments(n_features)
            self.topic_moments = _Moments(n_topics)
        # Drawn from the same numbers as the rest, or it would be no control.
        uniform = torch.rand(n_topics, n_features)
        fixed = uniform if attention == "random" else torch.ones_like(uniform)
        self.register_buffer("fixed", fixed)

    def observe(self, X: Tensor) -> None:
        """Let the running moments follow the features of a batch and their topics."""
        if self.feature_moments is not None and self.topic_moments is not None:
            self.feature_moments.update(X)
            self.topic_moments.update(self.autoencoder.encode(X))

    def regress(self, X: Tensor, l1: float = 0.0) -> Regression | None:
        """Compare the receptors, if there are any, with the topics."""
        if self.receptors is None:
            return None
        Z = self.autoencoder.encode(X)
        scales = self._scales()
        if scales is not None:
            X = (X - scales.shift) / scales.scale
            Z = (Z - scales.center) / scales.spread
        return self.receptors.regress(X, Z, l1)

    def attend(
        self, regression: Regression, factors: Tensor | None = None
    ) -> Iterator[Tensor]:
        """Evaluate the attention of the receptors, some topics at a time.

        Parameters
        ----------
        regression : Regression
            What :meth:`regress` returned.
        factors : Tensor of shape (J, 1), default=None
            What to multiply that of every topic by; None is one.

        Returns
        -------
        iterator of Tensor of shape (j, n, d)
            Attention of the next topics.
        """
        weights = regression.residuals if self.residual_weighting else None
        if factors is not None:
            weights = factors if weights is None else factors * weights
        return self.receptors.attention(regression.slopes, weights)  # type: ignore[union-attr]

    def _scales(self) -> _Scales | None:
        """Find what receptors shift features and topics by, and divide them by."""
        features, topics = self.feature_moments, self.topic_moments
        if features is None or topics is None:
            return None
        tiny = torch.finfo(topics.variance.dtype).tiny
        # One scale of all features, or those that hardly vary would be noise.
        length = min(SQUARED_LENGTH, VARIANCE * len(features.variance))
        scale = (features.variance.sum().clamp(min=tiny) / length).sqrt()
        least = (LEAST_VARIANCE * topics.variance.mean()).clamp(min=tiny)
        spread = topics.variance.maximum(least).sqrt()
        return _Scales(features.mean, scale, topics.mean, spread)

    def _factors(self) -> Tensor | None:
        """Find what makes the attention of receptors that to features and topics."""
        scales = self._scales()
        if scales is None:
            return None
        factors = scales.spread / scales.scale
        if self.residual_weighting:
            factors = factors * scales.spread
        return factors[:, None]

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
            yield from self.attend(regression, self._factors())
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
        scales = self._scales()
        if scales is None:
            return topics, torch.cat([self.receptors(rows) for rows in X.split(N_ROWS)])
        X = (X - scales.shift) / scales.scale
        predicted = torch.cat([self.receptors(rows) for rows in X.split(N_ROWS)])
        return topics, scales.center + scales.spread * predicted
