"""Transfer neural trees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from math import ceil
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from skda.base import BaseTwoStreamClassifier, DomainName, Sizes, estimator
from skda.training import Batch, Objective, Phase, sigmoid_ramp
from skda.utils.ranges import Count, NonNegative, Positive, PositiveShare, WholeNumber

__all__ = ["TNT"]

#: What is added to the mass of every class in every leaf, as in the public code.
LEAF_MASS = 1e-3
#: How far from certain a split stays.
UNCERTAINTY = 1e-6


class NeuralTrees(nn.Module):
    """A layer per domain, and a forest of soft trees for both."""

    leaves: Tensor
    inputs: Tensor

    def __init__(
        self,
        widths: Mapping[str, int],
        n_components: int,
        n_classes: int,
        *,
        n_trees: int,
        depth: int,
        share: float,
        slope: float,
    ) -> None:
        super().__init__()
        self.encoders = nn.ModuleDict()
        for domain, width in widths.items():
            layer = nn.Linear(width, n_components)
            nn.init.uniform_(layer.weight, -0.5, 0.5)
            nn.init.zeros_(layer.bias)
            self.encoders[domain] = layer
        n_inputs = ceil(share * n_components)
        drawn = [torch.randperm(n_components)[:n_inputs] for _ in range(n_trees)]
        self.register_buffer("inputs", torch.stack(drawn))  # (t, m)
        splits = torch.rand(n_trees, n_inputs + 1, 2**depth - 1) - 0.5
        self.splits = nn.Parameter(splits)  # the last weight is the bias
        leaves = torch.full((n_trees, 2**depth, n_classes), 1 / n_classes)
        self.register_buffer("leaves", leaves)
        self.depth, self.slope = depth, slope

    def encode(self, X: Tensor, domain: DomainName) -> Tensor:
        """Map samples, of shape (n, p), into the common space, of shape (n, d)."""
        return self.encoders[domain](X).tanh().to(X.dtype)

    def reach(self, z: Tensor, *, frozen: bool = False) -> Tensor:
        """Evaluate Equation 1 for all leaves of all trees, of shape (t, n, leaves)."""
        splits = (self.splits.detach() if frozen else self.splits).to(z.dtype)
        seen = z[:, self.inputs].transpose(0, 1)  # (t, n, m)
        logits = (seen @ splits[:, :-1] + splits[:, -1:]).to(z.dtype)
        left = (self.slope * logits).sigmoid().clamp(UNCERTAINTY, 1 - UNCERTAINTY)
        reached = torch.ones_like(left[..., :1])  # (t, n, 1), the root
        for level in range(self.depth):
            first = 2**level - 1
            at = left[..., first : first + 2**level]  # (t, n, nodes of the level)
            reached = torch.stack([reached * at, reached * (1 - at)], dim=-1).flatten(2)
        return reached

    def vote(self, reached: Tensor) -> Tensor:
        """Evaluate Equation 2 for every tree, of shape (t, n, c)."""
        return (reached @ self.leaves.to(reached.dtype)).to(reached.dtype)

    def classify(self, z: Tensor) -> Tensor:
        """Map the common space to log-probabilities, of shape (n, c)."""
        # In float32, rounding depends on where a row stands among others.
        votes = self.vote(self.reach(z.double()))
        return votes.mean(dim=0).log().to(z.dtype)

    def forward(self, X: Tensor, domain: DomainName = "target") -> Tensor:
        """Map samples, of shape (n, p), to log-probabilities, of shape (n, c)."""
        return self.classify(self.encode(X, domain))

    def update_leaves(self, z: Tensor, labels: Tensor) -> None:
        """Evaluate Equation 3."""
        reached = self.reach(z)
        shares = labels / self.vote(reached)  # (t, n, c)
        mass = self.leaves * (reached.transpose(1, 2) @ shares) + LEAF_MASS
        self.leaves.copy_(mass / mass.sum(dim=2, keepdim=True))


def tree_risk(votes: Tensor, labels: Tensor) -> Tensor:
    """Average the cross-entropy over trees and labeled rows, by their memberships."""
    total = -(labels * votes.log()).sum()
    return total / (len(votes) * labels.sum().clamp(min=1))


def embedding_loss(probabilities: Tensor) -> Tensor:
    """Evaluate Equation 4 for rows of shape (n, c)."""
    frequency = probabilities.detach().mean(dim=0)  # (c,)
    return -(probabilities.square() / frequency).sum(dim=1).mean()


class SourceObjective(Objective):
    """The risk of the source, whose labels also fill the leaves."""

    def forward(
        self, module: NeuralTrees, batch: Batch, progress: float
    ) -> dict[str, Tensor]:
        """Evaluate the risk of the trees."""
        z = module.encode(batch.source.X, "source")
        votes = module.vote(module.reach(z))
        return {"source_risk": tree_risk(votes, batch.source.labels)}

    def end_step(self, module: NeuralTrees, batch: Batch) -> None:
        """Update the leaves."""
        source = batch.source
        module.update_leaves(module.encode(source.X, "source"), source.labels)


class TNTObjective(Objective):
    """The risk of the labeled target rows and the embedding of all of them."""

    frozen = True

    def __init__(self, beta: float) -> None:
        super().__init__()
        self.beta = beta

    def forward(
        self, module: NeuralTrees, batch: Batch, progress: float
    ) -> dict[str, Tensor]:
        """Evaluate Equation 5."""
        target = batch.target
        z = module.encode(target.X, "target")
        votes = module.vote(module.reach(z, frozen=self.frozen))
        weight = self.beta * sigmoid_ramp(progress, gamma=1.0)
        return {
            "target_risk": tree_risk(votes, target.labels),
            "embedding": weight * embedding_loss(votes.mean(dim=0)),
        }


class TNTTargetObjective(TNTObjective):
    """What is left of both phases without a source: the forest learns along."""

    frozen = False

    def end_step(self, module: NeuralTrees, batch: Batch) -> None:
        """Update the leaves."""
        target = batch.target
        module.update_leaves(module.encode(target.X, "target"), target.labels)


@estimator
class TNT(BaseTwoStreamClassifier):
    r"""Transfer neural trees: a forest of the source that target rows are led through.

    Classifies a partially labeled target by a labeled source that has other features
    [1]_. A layer per domain, :math:`z = \tanh(W x + b)`, maps both into a common space.
    There, a forest of soft trees classifies. In each tree, which sees some of the
    components of :math:`z`, node :math:`m` sends a row to the left with the probability
    :math:`\sigma(a \, \theta_m^\top [z; 1])`, and to the right else. Leaf :math:`l`
    is reached with the product of these over its path,

    .. math:: \mu_l(z) = \prod_{m \in \text{path}(l)}
        \sigma_m(z)^{[l \text{ left of } m]}
        (1 - \sigma_m(z))^{[l \text{ right of } m]}, \tag{1}

    and has a distribution :math:`\pi_l` of the classes. A tree votes by

    .. math:: p_{\text{tree}}(k \mid z) = \sum_l \pi_{lk} \, \mu_l(z), \tag{2}

    and the forest by the mean :math:`p` of its trees.

    **First phase.** The source trains its layer and the splits, by the cross-entropy of
    the trees. After every step, the leaves take one step to their fixed point,

    .. math:: \pi_{lk} \propto \epsilon + \sum_{i: y_i = k}
        \frac{\pi_{lk} \, \mu_l(z_i)}{p_{\text{tree}}(k \mid z_i)} . \tag{3}

    **Second phase.** The forest does not change any more. The layer of the target
    learns to lead rows through it: the labeled ones to their classes, and all of them
    to leaves of some class, each class about as often as the forest finds it,

    .. math:: L_E = - \frac1n \sum_i \sum_k \frac{p(k \mid z_i)^2}{\bar p_k}, \qquad
        \bar p_k = \frac1n \sum_i p(k \mid z_i), \tag{4}

    where :math:`\bar p` has no gradient. The objective is

    .. math:: R_t + \beta \Bigl( \frac{2}{1 + e^{-\tau}} - 1 \Bigr) L_E , \tag{5}

    with the cross-entropy :math:`R_t` of the labeled rows and the progress :math:`\tau`
    from zero to one. A class that the source lacks has next to nothing in any leaf, and
    is hardly ever predicted.

    ``transform`` gives :math:`z`. Without a source, Equation 5 trains the layer of the
    target and the splits at once, and labeled target rows fill the leaves. That is
    the control to beat.

    The steps of a pipeline before this one see the target only: pass
    ``source_transformer`` and ``target_transformer`` instead.

    Parameters
    ----------
    n_trees
        Number of trees.
    depth
        Number of splits on the way to a leaf; a tree has ``2 ** depth`` leaves.
    tree_share
        Share of the components that a tree sees.
    split_slope
        Slope :math:`a` of the splits.
    beta
        Weight :math:`\beta` of the embedding.
    pretraining_epochs
        Passes over the source in the first phase; None is as many as in the second.
    max_epochs
        Passes over the target in the second phase.

    See Also
    --------
    STN : Aligns the means of both domains in the common space.
    skda.baselines.TargetNet : The target's network alone.

    Notes
    -----
    :meth:`published` returns the settings of the public code, which ends the first
    phase early once 99 of 100 source rows are right. It takes steps for the labeled
    rows and for Equation 4 in turns, and does not apply the ramp of Equation 5,
    although it computes it; here, both are one step. Nor has it the pruning of the
    paper, which is not built. The cross-entropy is a mean over trees.

    References
    ----------
    .. [1] W.-Y. Chen, T.-M. H. Hsu, Y.-H. H. Tsai, Y.-C. F. Wang and M.-S. Chen,
       "Transfer Neural Trees for Heterogeneous Domain Adaptation", ECCV 2016.
       doi:10.1007/978-3-319-46454-1_25.

    Examples
    --------
    >>> from skda.datasets import make_heterogeneous_domains
    >>> from skda.heterogeneous import TNT
    >>> data = make_heterogeneous_domains(random_state=0)
    >>> clf = TNT(max_epochs=20, random_state=0)
    >>> clf.fit(data.X, data.y, source=data.source).predict(data.X).shape
    (300,)
    """

    n_trees: Count = 20
    depth: Count = 7
    tree_share: PositiveShare = 0.2
    split_slope: Positive = 5.0
    beta: NonNegative = 1.0
    pretraining_epochs: WholeNumber | None = None
    n_components = 100
    max_epochs = 100
    lr = 0.005
    optimizer = "rmsprop"
    momentum = 0.0
    n_hidden: Any = field(default=None, init=False)
    leaky_logits: Any = field(default=False, init=False)
    init_std: Any = field(default=0.01, init=False)

    published_params: ClassVar[dict[str, Any]] = {
        "power": 1.0,
        "normalize": True,
        "n_neighbors": None,
        "source_per_class": None,
        "pretraining_epochs": 250,
    }

    def make_module(self, sizes: Sizes) -> nn.Module:
        return NeuralTrees(
            sizes.widths,
            self.n_components,
            sizes.n_classes,
            n_trees=self.n_trees,
            depth=self.depth,
            share=self.tree_share,
            slope=self.split_slope,
        )

    def make_objective(self) -> Objective:
        return TNTObjective(self.beta)

    def make_target_objective(self) -> Objective:
        return TNTTargetObjective(self.beta)

    def make_phases(self, max_epochs: int) -> list[Phase]:
        own = self.pretraining_epochs
        first = max_epochs if own is None or (own and self.max_steps) else own
        phases = [
            Phase(SourceObjective(), first, "source"),
            Phase(self.make_objective(), max_epochs, "target"),
        ]
        return [phase for phase in phases if phase.max_epochs]

    def _settings(self, device: torch.device) -> dict[str, Any]:
        decay = {"optimizer__alpha": 0.9} if self.optimizer == "rmsprop" else {}
        return super()._settings(device) | decay
