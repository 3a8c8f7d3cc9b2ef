"""Deep multimodal transfer learning."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from skda.base import BaseNetRetriever, estimator
from skda.losses import matching_loss, residual_norm
from skda.modules import MultiViewEncoder
from skda.training import Batch, Objective
from skda.utils.ranges import Fraction, NonNegative, Positive
from skda.utils.views import ViewRows
from skda.utils.warnings import NoSourceWarning, warn_user

__all__ = ["DMTL"]


class DMTLModule(MultiViewEncoder):
    """An encoder per view, and one linear classifier of the known categories."""

    def __init__(
        self,
        widths: Mapping[str, int],
        n_components: int,
        n_classes: int,
        *,
        classifier: str,
        **layout: Any,
    ) -> None:
        super().__init__(widths, n_components, **layout)
        bound = n_components**-0.5
        self.P = nn.Parameter(torch.empty(n_classes, n_components))
        nn.init.uniform_(self.P, -bound, bound)
        if classifier == "orthogonal":
            nn.init.orthogonal_(self.P).requires_grad_(False)

    def classify(self, h: Tensor) -> Tensor:
        """Map embeddings, of shape (v, n, d), to scores, of shape (v, n, c)."""
        return (h @ self.P.T).to(h.dtype)


class DMTLObjective(Objective):
    """Equation 1 of :class:`DMTL`, with the last scores of every row."""

    memory: Tensor

    def __init__(
        self,
        *,
        weights: tuple[float, float, float],
        n_source: int,
        matching_pairs: str,
        pseudo_label_init: str,
        **matching: Any,
    ) -> None:
        super().__init__()
        self.matching_weight, self.lambda1, self.lambda2 = weights
        self.first_new = n_source if matching_pairs == "new" else 0
        self.pseudo_label_init = pseudo_label_init
        self.matching = matching
        self.register_buffer("memory", None)

    def start_fit(self, module: DMTLModule, domains: Batch) -> None:
        """Fill the memory, of shape (views, rows, categories)."""
        pairs = domains.target
        shape = (len(module.encoders), *pairs.labels.shape)
        if self.pseudo_label_init == "random":
            self.memory = torch.randn(
                shape, generator=self.generator, device=pairs.labels.device
            )
        else:
            self.memory = module.classify(module(pairs.X))

    def forward(
        self, module: DMTLModule, batch: Batch, progress: float
    ) -> dict[str, Tensor]:
        """Evaluate the three terms of Equation 1 on one batch."""
        X, labels, rows = batch.target
        h = module(X)  # (v, b, d)
        scores = module.classify(h)  # (v, b, c)
        self.last_scores = scores.detach()
        known = labels.sum(dim=1)  # (b,)
        terms = {}
        if self.matching_weight:
            compared = (rows >= self.first_new).to(h.dtype)
            losses = [
                matching_loss(a, t, compared, **self.matching)
                for a, t in combinations(h, 2)
            ]
            terms["matching"] = self.matching_weight * torch.stack(losses).sum()
        if self.lambda1:
            terms["source"] = self.lambda1 * residual_norm(scores, labels, known)
        if self.lambda2:
            pseudo_labels = self.memory.index_select(1, rows)
            terms["target"] = self.lambda2 * residual_norm(
                scores, pseudo_labels, 1 - known
            )
        return terms

    def end_step(self, module: DMTLModule, batch: Batch) -> None:
        """Keep the scores of this step's rows, the pseudo-labels of their next step."""
        self.memory.index_copy_(1, batch.target.rows, self.last_scores)


@estimator
class DMTL(BaseNetRetriever):
    r"""Deep multimodal transfer learning.

    Brings the views of pairs together in one space, in which known categories are told
    apart by a linear classifier and new ones are hoped to be. With embeddings
    :math:`a_i, t_i` of the two views of pair :math:`i`, classifier :math:`P`, one-hot
    categories :math:`y_i` and pseudo-labels :math:`z_j`,

    .. math::

        L &= \lambda_m L_m + \lambda_1 L_s + \lambda_2 L_t \\
        L_m &= -\frac 1b \sum_i \Big(
            \log\big(p(t_i \mid a_i) + \sigma\big)
            + \log\big(p(a_i \mid t_i) + \sigma\big)\Big), \quad
            p(t_j \mid a_i) = \operatorname*{softmax}_j
            \big(s(a_i, t_j) / \tau\big) \\
        L_s &= \operatorname*{mean}_{i \in \text{labeled}}
            \lVert P a_i - y_i \rVert + \lVert P t_i - y_i \rVert \\
        L_t &= \operatorname*{mean}_{j \in \text{unlabeled}}
            \lVert P a_j - z_j^a \rVert + \lVert P t_j - z_j^t \rVert

    The similarity :math:`s` is :math:`-\lVert a - t \rVert` in the paper and a cosine
    by default; :math:`z_j` is what the classifier said of row :math:`j` when it was
    last seen, one epoch ago. With more than two views, :math:`L_m` is summed over all
    pairs of them.

    Parameters
    ----------
    n_components
        Dimension of the common space; 512 in the paper.
    hidden_layer_sizes
        Widths of the hidden layers of every encoder; (4096, 4096) in the paper.
    matching_weight
        Weight :math:`\lambda_m`; 0 leaves :math:`L_m` out.
    lambda1
        Weight of the labeled pairs; 0 leaves them out.
    lambda2
        Weight of the unlabeled pairs, which the paper does not give; 0 leaves them out.
    similarity
        What :math:`L_m` compares: cosines, or negative distances as in the paper.
    temperature
        Temperature :math:`\tau`; 1 for distances, as in the paper.
    sigma
        :math:`\sigma`, which also silences pairs that are hopelessly far apart.
    matching_pairs
        Pairs that :math:`L_m` compares: all, or those in ``X`` alone.
    classifier
        Whether :math:`P` is trained, or random with orthonormal rows.
    pseudo_label_init
        First :math:`z`: standard normal, or what the untrained network predicts.
    dropout
        Fraction of the hidden units to drop in training; none in the paper.
    relu_output
        Whether a ReLU follows the last layer, on which the paper is unclear.
    lr
        Learning rate; 0.0001 in the paper.
    optimizer : {"sgd", "adam", "adamw", "rmsprop"} or callable
        Optimizer; a callable brings its own momentum and weight decay. "adam" in the
        paper.
    weight_decay
        Weight decay of the optimizer; none in the paper.
    random_state : int, RandomState instance or None
        Seed of the initial weights, of the batches, of the dropout and of the first
        pseudo-labels.

    Attributes
    ----------
    classifier_weights_ : ndarray of shape (n_classes, n_components)
        The classifier :math:`P`.
    pseudo_labels_ : dict of str to ndarray of shape (n_unlabeled, n_classes)
        Memory :math:`z` of the unlabeled pairs of ``X``, in their order, by view.

    See Also
    --------
    ClusterRetrieval : Better on every data set of our benchmark, and in closed form.

    Notes
    -----
    The setting of the paper without new categories is ``fit(views, y)``. Without any
    label only :math:`L_m` is left. As published, the network remembers its training
    pairs, and canonical correlations of the new pairs alone, :class:`RidgeCCA`, are
    better; the defaults here are regularized instead, by a cosine at a temperature,
    dropout and weight decay that did best on two data sets of the benchmarks.

    References
    ----------
    .. [1] L. Zhen, P. Hu, X. Peng, R. S. M. Goh and J. T. Zhou, "Deep multimodal
       transfer learning for cross-modal retrieval", IEEE Transactions on Neural
       Networks and Learning Systems 33(2), 2022.

    Examples
    --------
    >>> import numpy as np
    >>> from skda.retrieval import DMTL
    >>> rng = np.random.default_rng(0)
    >>> y = np.repeat([0, 1, 2, 3], 20)
    >>> latent = rng.normal(size=(4, 4))[y] + 0.3 * rng.normal(size=(80, 4))
    >>> X = latent @ rng.normal(size=(4, 13))
    >>> views = {"image": slice(0, 8), "text": slice(8, 13)}
    >>> retriever = DMTL(views=views, max_epochs=10, random_state=0)
    >>> retriever.fit(X[40:], source=(X[:40], y[:40])).transform(X[40:]).shape
    (40, 256)
    """

    matching_weight: NonNegative = 1.0
    lambda1: NonNegative = 1.5
    lambda2: NonNegative = 1.0
    similarity: Literal["cosine", "euclidean"] = "cosine"
    temperature: Positive = 0.3
    sigma: Fraction = 1e-6
    matching_pairs: Literal["all", "new"] = "all"
    classifier: Literal["linear", "orthogonal"] = "linear"
    pseudo_label_init: Literal["random", "predict"] = "random"
    relu_output: bool = False
    dropout = 0.5
    batch_size = 100
    lr = 3e-4
    optimizer = "adamw"
    weight_decay = 0.1

    published_params: ClassVar[dict[str, Any]] = {
        "n_components": 512,
        "hidden_layer_sizes": (4096, 4096),
        "similarity": "euclidean",
        "temperature": 1.0,
        "dropout": 0.0,
        "lr": 1e-4,
        "optimizer": "adam",
        "weight_decay": 0.0,
    }

    def select_pairs(self, source: ViewRows, target: ViewRows) -> ViewRows:
        # The source is left out where no term uses it.
        used = self.lambda1 or self.lambda2 or self.matching_pairs == "all"
        return source.stack(target) if used else target

    def make_module(self, widths: dict[str, int], n_classes: int) -> nn.Module:
        return DMTLModule(
            widths,
            self.n_components,
            n_classes,
            classifier=self.classifier,
            hidden_layer_sizes=self.hidden_layer_sizes,
            dropout=self.dropout,
            last=nn.ReLU() if self.relu_output else None,
        )

    def make_objective(self, source: ViewRows, target: ViewRows) -> DMTLObjective:
        lambda1, lambda2 = self.lambda1, self.lambda2
        if not len(self.classes_):  # without categories there is no classifier
            lambda1 = lambda2 = 0.0
        if not (self.matching_weight or lambda1 or lambda2):
            raise ValueError(
                "Expected a term to minimize, but matching_weight is 0 and there are "
                "no labels for the others: pass source=(views, y_source), or raise it."
            )
        if self.lambda1 and not len(self.classes_):
            warn_user(
                "DMTL is fitted without a labeled pair: only the matching term is left."
                " Pass source=(views, y_source), or lambda1=0.",
                NoSourceWarning,
            )
        pairs = self.select_pairs(source, target)
        return DMTLObjective(
            weights=(self.matching_weight, lambda1, lambda2),
            n_source=pairs.n_rows - target.n_rows,
            matching_pairs=self.matching_pairs,
            pseudo_label_init=self.pseudo_label_init,
            similarity=self.similarity,
            temperature=self.temperature,
            sigma=self.sigma,
        )

    def set_fitted_attributes(self, source: ViewRows, target: ViewRows) -> None:
        objective, module = self.net_.criterion_, self.net_.module_
        self.classifier_weights_ = module.P.detach().cpu().numpy()
        z = objective.memory[:, -target.n_rows :].cpu().numpy()
        new = ~target.labels.known
        self.pseudo_labels_ = {
            name: rows[new] for name, rows in zip(target.views, z, strict=True)
        }
