"""Weakly-shared deep transfer networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from skda.base import BasePairedNetClassifier, PairedRows, Rows, Sizes, estimator
from skda.losses import reconstruction_loss, squared_norm
from skda.modules import MappedAutoEncoders
from skda.training import Batch, Objective, Phase
from skda.utils.ranges import Count, LayerSizes, NonNegative, WholeNumber
from skda.utils.validation import check_layers

__all__ = ["WSDTN"]


class WSDTNModule(MappedAutoEncoders):
    """An autoencoder per domain, and the mean votes of the labeled source rows.

    Without a source, the target has a linear classifier instead.
    """

    votes: Tensor | None

    def __init__(
        self,
        widths: Mapping[str, int],
        hidden_layer_sizes: Sequence[int],
        n_classes: int,
        *,
        linear_top: bool = False,
    ) -> None:
        layers = dict.fromkeys(widths, hidden_layer_sizes)
        super().__init__(widths, layers, n_classes, mapped=False, linear_top=linear_top)
        shape = layers["target"][-1], n_classes
        votes = torch.zeros(shape) if "source" in widths else None
        self.register_buffer("votes", votes)

    def forward(self, X: Tensor, domain: str = "target") -> Tensor:
        """Map samples of a domain, of shape (n, p), to logits, of shape (n, c)."""
        if self.votes is None:
            return super().forward(X, domain)
        return (self.encode(X, domain) @ self.votes).to(X.dtype)


def linear_layers(encoder: Any) -> list[nn.Linear]:
    """List the layers of an encoder that have weights."""
    return [layer for layer in encoder if isinstance(layer, nn.Linear)]


def signs(labels: Tensor) -> Tensor:
    """Code labels, of shape (n, c), as 1 and -1; a row without one is all zeros."""
    return 2 * labels - labels.sum(dim=1, keepdim=True)


def mean_votes(z_s: Tensor, labels: Tensor) -> Tensor:
    """Average the votes of the source rows in Equation 2, to shape (d, c)."""
    return z_s.T @ signs(labels) / labels.sum().clamp(min=1)


class ReconstructionObjective(Objective):
    """The first phase of :class:`WSDTN`."""

    def forward(
        self, module: WSDTNModule, batch: Batch, progress: float
    ) -> dict[str, Tensor]:
        """Reconstruct the rows of both domains."""
        terms = {}
        for name in ("source", "target"):
            net, X = module.domains[name], getattr(batch, name).X
            error = reconstruction_loss(X, net.decode(net.encode(X)))
            terms[f"{name}_reconstruction"] = error
        return terms


class WSDTNObjective(Objective):
    """Equation 1 of :class:`WSDTN`."""

    def __init__(
        self, eta: float, gamma: float, lambda_reg: float, *, n_shared: int
    ) -> None:
        super().__init__()
        self.eta = eta
        self.gamma = gamma
        self.lambda_reg = lambda_reg
        self.n_shared = n_shared

    def forward(
        self, module: WSDTNModule, batch: Batch, progress: float
    ) -> dict[str, Tensor]:
        """Evaluate the terms of Equation 1 on one batch."""
        source, target, pairs = batch
        z_s = module.encode(source.X, "source")  # (n_s, d)
        z_t = module.encode(target.X, "target")  # (n_t, d)
        scores = (z_t @ mean_votes(z_s, source.labels)).to(z_t.dtype)  # (n_t, c)
        y = signs(target.labels)
        logistic = y.square() * F.softplus(-y * scores)

        sides = (
            module.encode(pairs.source, "source"),
            module.encode(pairs.target, "target"),
        )
        similar = (sides[0] * sides[1]).sum(dim=1)  # (n_c,)
        encoders = [net.encoder for net in module.domains.values()]
        norms = [squared_norm(encoder) for encoder in encoders]
        return {
            "risk": logistic.sum() / target.labels.sum().clamp(min=1),
            "pairs": self.eta * F.softplus(-similar).mean(),
            "sharing": self.gamma / 2 * self.difference(encoders),
            "decay": self.lambda_reg / 2 * torch.stack(norms).sum(),
        }

    def difference(self, encoders: list[Any]) -> Tensor:
        """Sum up the squared differences of the layers that are weakly shared."""
        shared = [
            layers[1:][-self.n_shared :] for layers in map(linear_layers, encoders)
        ]
        parameters = [nn.ModuleList(layers).parameters() for layers in shared]
        squares = [(a - b).square().sum() for a, b in zip(*parameters, strict=True)]
        none = encoders[0][0].weight.new_zeros(())
        return sum(squares, start=none)


@estimator
class WSDTN(BasePairedNetClassifier):
    r"""Weakly-shared deep transfer network.

    Classifies a target by labeled rows of a source that has other features, each of
    which votes for its class in proportion to how alike the two rows are in a common
    space [1]_. Each domain has an autoencoder; :math:`z` are the top layers of the
    encoders, stacks of linear layers and ReLU. In a first phase, "pretraining", each
    reconstructs its rows. In the second, "transfer", the encoders minimize

    .. math::

        \frac 1 {n_T^L} \sum_j \sum_k \log \bigl(1 + e^{-y_{jk} f_k(z_{Tj})}\bigr) +
        \frac \eta {n_c} \sum_i \log \bigl(1 + e^{-z_{Si}^\top z_{Ti}}\bigr) +
        \frac \gamma 2 \sum_{l \in L} \Bigl(\lVert W_S^l - W_T^l \rVert_F^2 +
        \lVert b_S^l - b_T^l \rVert^2\Bigr) + \frac \lambda 2 \sum_l \Bigl(\lVert
        W_S^l \rVert_F^2 + \lVert W_T^l \rVert_F^2\Bigr) , \tag{1}

    * over the labeled target rows :math:`j` and classes :math:`k`, the logistic loss of

      .. math:: f_k(z) = \frac 1 {n_S^L} \sum_i y_{ik} \, z_{Si}^\top z , \tag{2}

      where :math:`y_{ik} = 1` for rows of the class and -1 for the others;
    * over the pairs :math:`i`, the logistic loss of their translators, the inner
      products of their sides;
    * over the top layers :math:`L`, how much the domains differ in weights that they
      share but weakly;
    * the decay of the weights, which spares the biases.

    The class with the largest :math:`f_k` is predicted. The rows of pairs count as
    unlabeled rows of both domains. Without a source, the target's encoder and a linear
    classifier are trained on the labeled target rows.

    The steps of a pipeline before this one see the target only: pass
    ``source_transformer`` and ``target_transformer`` instead.

    Parameters
    ----------
    hidden_layer_sizes
        Width of every layer of either encoder. The decoders mirror them.
    n_shared
        Number of the top layers :math:`L` that are weakly shared; the first layer, in
        which the domains have their own features, never is.
    linear_top
        Whether the last layers of the encoders are linear. If they end in ReLU, no
        inner product is negative, and pairs teach next to nothing.
    eta
        Weight :math:`\eta` of the pairs.
    gamma
        Weight :math:`\gamma` of the difference of the shared layers.
    lambda_reg
        Weight :math:`\lambda` of the decay.
    pretraining_epochs
        Passes of the first phase; None is ``max_epochs``, 0 leaves it out.
    max_epochs
        Passes over the larger of the two domains, in each phase.
    max_steps
        Steps of each phase to take instead, rounded up to whole epochs.
    batch_size
        Most samples and pairs to draw at every step; -1 for all of them. Equation 2
        then has the source rows of the step.
    weight_decay
        Weight decay of the optimizer, beside :math:`\lambda`.

    See Also
    --------
    TTI : Translates the features themselves.
    DATN : Maps one top layer to the other.

    Notes
    -----
    Reconstructed from the objective; neither compared with the authors' code nor with
    their paper, so :meth:`published` returns the defaults. The first two terms are
    means here, which makes their weights independent of the numbers of rows. One
    network has a score for each class, in place of a network for each; the layers and
    the pretraining are those of :class:`DATN`, the paper's were not at hand.

    What tells classes apart are the labeled target rows. The pairs' term has no pair
    that does not belong together: it is least where all rows are alike, and without a
    labeled target row predictions are near chance. On the mfeat digits (``fac`` to
    ``zer``, 300 pairs, 20 target labels, three splits), the real pairs led to an
    accuracy of 0.59 +- 0.03, pairs at random to 0.56 +- 0.06 and ``eta=0`` to 0.57 +-
    0.04. With ``linear_top=True`` and a large ``eta``, pairs at random do harm, but the
    real ones no more good.

    A source row is scored by Equation 2, too. Probabilities are the softmax of the
    scores, which were not trained for it.

    References
    ----------
    .. [1] X. Shu, G.-J. Qi, J. Tang and J. Wang, "Weakly-Shared Deep Transfer Networks
       for Heterogeneous-Domain Knowledge Propagation", ACM Multimedia 2015.
       doi:10.1145/2733373.2806216.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skda.heterogeneous import WSDTN
    >>> X, y = load_digits(return_X_y=True)
    >>> left, right = X[:900, ::2], X[:900, 1::2]  # two views of the same digits
    >>> source, pairs = (left[:400], y[:400]), (left[400:500], right[400:500])
    >>> clf = WSDTN(max_epochs=20, random_state=0)
    >>> clf = clf.fit(right[500:550], y[500:550], source=source, pairs=pairs)
    >>> clf.predict(right[550:]).shape
    (350,)
    """

    hidden_layer_sizes: LayerSizes = (128, 64)
    n_shared: Count = 1
    linear_top: bool = False
    eta: NonNegative = 1.0
    gamma: NonNegative = 0.01
    lambda_reg: NonNegative = 0.01
    pretraining_epochs: WholeNumber | None = None
    max_epochs = 200

    def fit_rows(
        self, source: Rows, target: Rows, pairs: PairedRows | None = None
    ) -> None:
        check_layers(self.hidden_layer_sizes)
        if pairs is not None and not source.labels.known.any():
            raise ValueError(
                "WSDTN expects labeled source samples, got none: nothing votes for a "
                "class. Label some."
            )
        if pairs is not None:
            source, target = pairs.join(source, target)
        super().fit_rows(source, target, pairs)

    def make_module(self, sizes: Sizes) -> nn.Module:
        return WSDTNModule(
            sizes.widths,
            self.hidden_layer_sizes,
            sizes.n_classes,
            linear_top=self.linear_top,
        )

    def make_objective(self) -> Objective:
        return WSDTNObjective(
            self.eta, self.gamma, self.lambda_reg, n_shared=self.n_shared
        )

    def make_phases(self, max_epochs: int) -> list[Phase]:
        n_pretraining = self._phase_length(self.pretraining_epochs, max_epochs)
        transfer = Phase(self.make_objective(), max_epochs, "transfer")
        if not n_pretraining:
            return [transfer]
        first = Phase(ReconstructionObjective(), n_pretraining, "pretraining")
        return [first, transfer]

    def set_fitted_attributes(self, source: Rows, target: Rows) -> None:
        if not len(source.X):
            return
        features, _, labels = self._outputs(source, "source")
        self.net_.module_.votes.copy_(mean_votes(features, labels))
