"""Dual adversarial distribution network for zero-shot cross-media retrieval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Annotated, Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.func import functional_call

from skda.base import BaseNetRetriever, estimator
from skda.losses import root_kernel_mmd
from skda.modules import multilayer_perceptron
from skda.retrieval._dccae import DCCAEModule
from skda.retrieval._labeled import labeled_pairs, vectors_of_categories
from skda.training import Batch, Objective
from skda.utils.ranges import Count, LayerSizes, NonNegative
from skda.utils.views import ViewRows

__all__ = ["DADN"]

#: Widths of the kernels in the public code.
WIDTHS = (2.0, 5.0, 10.0, 20.0, 40.0, 80.0)


class Critic(nn.Module):
    """Tell real rows from generated ones, and show what it looks at."""

    def __init__(self, n_inputs: int, hidden_layer_sizes: Sequence[int]) -> None:
        super().__init__()
        self.layers = multilayer_perceptron([n_inputs, *hidden_layer_sizes, 1])

    def forward(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Map rows, of shape (n, p), to all hidden units, and to logits (n,)."""
        seen, hidden = [rows], rows
        *layers, last = self.layers.children()
        for layer in layers:
            hidden = layer(hidden)
            if isinstance(layer, nn.ReLU):
                seen.append(hidden.to(rows.dtype))
        return torch.cat(seen, dim=1), last(hidden).to(rows.dtype).squeeze(1)

    def features(self, rows: Tensor) -> Tensor:
        """Map rows to all hidden units; the critic takes no gradient from them."""
        constants = {name: p.detach() for name, p in self.named_parameters()}
        seen: Tensor = functional_call(self, constants, (rows,))[0]
        return seen


class DADNModule(DCCAEModule):
    """For every view an encoder, a decoder, and a critic of the outputs of either."""

    def __init__(
        self,
        widths: Mapping[str, int],
        n_components: int,
        *,
        discriminator_layer_sizes: Sequence[int],
        **layout: Any,
    ) -> None:
        super().__init__(widths, n_components, **layout)
        sizes = discriminator_layer_sizes
        self.embedding_critics = nn.ModuleList(
            Critic(n_components + width, sizes) for width in widths.values()
        )
        self.row_critics = nn.ModuleList(
            Critic(width, sizes) for width in widths.values()
        )


class DADNObjective(Objective):
    """The four players of :class:`DADN`, all of which one step trains."""

    vectors: Tensor

    def __init__(
        self,
        vectors: NDArray[np.float32],
        *,
        metric_weight: float,
        reconstruction_weight: float,
        margin: float,
    ) -> None:
        super().__init__()
        self.register_buffer("vectors", torch.from_numpy(vectors))
        self.metric_weight = metric_weight
        self.reconstruction_weight = reconstruction_weight
        self.margin = margin

    def forward(
        self, module: DADNModule, batch: Batch, progress: float
    ) -> dict[str, Tensor]:
        """Evaluate Equations 1 to 4 on one batch of labeled pairs."""
        X, labels, _ = batch.target
        rows = module.views(X)
        z = module(X)  # (v, b, d)
        vectors = labels @ self.vectors  # (b, d)
        decoded = module.decode(z)
        pairs = zip(module.embedding_critics, rows, strict=True)
        embedded = [_judge(critic, vectors, z, x) for critic, x in pairs]
        triples = zip(module.row_critics, rows, decoded, strict=True)
        rebuilt = [_judge(critic, x, x_hat[None]) for critic, x, x_hat in triples]
        errors = (X - torch.cat(decoded, dim=1)).square().sum(dim=1)  # (b,)
        gaps, losses = zip(*embedded, *rebuilt, strict=True)
        return {
            "distribution": torch.stack(gaps).sum(),  # of 1 and 2
            "metric": self.metric_weight * self.metric(z, vectors, labels),  # of 1
            "reconstruction": self.reconstruction_weight * errors.mean() / 2,  # of 2
            "discriminators": torch.stack(losses).sum(),  # 3 and 4
        }

    def metric(self, z: Tensor, vectors: Tensor, labels: Tensor) -> Tensor:
        """Compare embeddings with their vectors, and with those of other categories."""
        n_views, n_rows, _ = z.shape
        own = (z - vectors).square().sum(dim=2).mean(dim=1)  # (v,)
        other = 1 - labels @ labels.T  # (b, b)
        other = other / other.sum(dim=1, keepdim=True).clamp(min=1)
        flat = z.flatten(0, 1)  # (v * b, d)
        lengths = flat.square().sum(dim=1)
        D = (lengths[:, None] + lengths - 2 * flat @ flat.T).clamp(min=0)
        D = D.view(n_views, n_rows, n_views, n_rows)
        others = (D * other[:, None]).sum(dim=(1, 2, 3)) / n_rows  # (v,)
        return (self.margin * own - others).clamp(min=0).sum() / 2


def _judge(
    critic: Any, real: Tensor, generated: Tensor, beside: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Compare generated rows (k, n, p) with real ones, and score the critic of them."""
    n_rows = len(real)
    rows = torch.cat([real, *generated])  # ((k + 1) * n, p)
    if beside is not None:
        rows = torch.cat([rows, beside.repeat(len(generated) + 1, 1)], dim=1)
    first, *others = critic.features(rows).split(n_rows)
    gaps = [root_kernel_mmd(other, first, widths=WIDTHS) for other in others]
    _, logits = critic(rows.detach())
    losses = F.softplus(torch.cat([-logits[:n_rows], logits[n_rows:]]))
    return torch.stack(gaps).sum(), losses.sum() / n_rows


@estimator
class DADN(BaseNetRetriever):
    r"""Dual adversarial distribution network.

    Encoders map labeled views to vectors that stand for their categories, word vectors
    of the names say, and decoders map them back; critics tell what comes out from what
    is real. With :math:`c` the vector of the category of a pair :math:`(x_1, x_2)`,
    embeddings :math:`z_p = f_p(x_p)` and :math:`\hat x_p = g_p(z_p)`, the encoders
    minimize

    .. math::

        \sum_p \Big( \sum_q \operatorname{MMD}_{D_p}\big((z_q, x_p), (c, x_p)\big)
        + \frac{\lambda_m}{2} \max\big(0, \mu \lVert z_p - c \rVert^2
        - \sum_q \lVert z_p - z_q^- \rVert^2 \big) \Big), \tag{1}

    and they and the decoders

    .. math::

        \sum_p \Big( \operatorname{MMD}_{E_p}(\hat x_p, x_p)
        + \frac{\lambda_r}{2} \lVert x_p - \hat x_p \rVert^2 \Big), \tag{2}

    all in the mean over a batch. MMD is the root of the maximum mean discrepancy of
    what a critic is given and its hidden units; :math:`z^-` embeds a row of another
    category. The critics minimize, with :math:`\sigma(D)` a probability of being real,

    .. math::

        & -\sum_p \Big( \log \sigma\big(D_p(c, x_p)\big)
        + \sum_q \log \big(1 - \sigma(D_p(z_q, x_p))\big) \Big), \tag{3} \\
        & -\sum_p \Big( \log \sigma\big(E_p(x_p)\big)
        + \log \big(1 - \sigma(E_p(\hat x_p))\big) \Big). \tag{4}

    Only labeled pairs are used, those of ``source`` and those that have a label in
    ``y``. What the vectors of the known categories have in common with those of new
    ones is all that the method knows of these.

    Parameters
    ----------
    label_vectors : dict of label to array-like, array-like of shape (c, d), or None
        Vector of every category that has a label, by the label, or as rows in the order
        of the sorted labels; more in a dictionary do no harm. None gives each category
        an axis of its own, which says nothing about which categories are alike.
    metric_weight
        Weight :math:`\lambda_m`. The public code adds up the batch, as a weight of its
        64 rows does.
    reconstruction_weight
        Weight :math:`\lambda_r`, of which the same is true.
    margin
        Factor :math:`\mu` by which a row is to be nearer to its vector.
    hidden_layer_sizes
        Widths of the hidden layers of every encoder; the decoders mirror them.
    discriminator_layer_sizes
        Widths of the hidden layers of every critic.
    max_epochs
        Passes over the labeled pairs.

    Attributes
    ----------
    label_vectors_ : ndarray of shape (n_classes, d)
        Vector of every category, in the order of the sorted labels.

    See Also
    --------
    ACMR : One adversary, and no vectors of the categories.
    RidgeCCA : The linear control, in closed form.

    Notes
    -----
    :meth:`published` returns the settings of the public code, which this follows but
    for three things: the code trains the players in turn, the encoders twice, and this
    all of them in one step; the code draws one row of another category, this takes the
    mean over those of the batch; and the code standardizes embeddings by the rows that
    are searched. In the paper the rows of two views go in; here any number can.

    References
    ----------
    .. [1] J. Chi and Y. Peng, "Zero-shot cross-media embedding learning with dual
       adversarial distribution network", IEEE Transactions on Circuits and Systems for
       Video Technology 30(4), 2020.

    Examples
    --------
    >>> import numpy as np
    >>> from skda.retrieval import DADN
    >>> rng = np.random.default_rng(0)
    >>> y = np.repeat(["cat", "dog", "car"], 20)
    >>> vectors = {"cat": [1.0, 0.9], "dog": [0.9, 1.0], "car": [-1.0, 0.0]}
    >>> latent = np.array([vectors[name] for name in y])
    >>> X = (latent + 0.1 * rng.normal(size=(60, 2))) @ rng.normal(size=(2, 13))
    >>> views = {"image": slice(8), "text": slice(8, 13)}
    >>> dadn = DADN(label_vectors=vectors, views=views, max_epochs=5, random_state=0)
    >>> dadn.fit(X, y).transform(X).shape
    (60, 4)
    """

    n_components: Count = field(default=1, init=False)
    label_vectors: Annotated[Any, dict, "array-like", None] = None
    metric_weight: NonNegative = 1.0
    reconstruction_weight: NonNegative = 1.0
    margin: NonNegative = 20.0
    discriminator_layer_sizes: LayerSizes = (512, 256)
    batch_size = 64
    lr = 3e-4

    published_params: ClassVar[dict[str, Any]] = {
        "metric_weight": 64.0,
        "reconstruction_weight": 64.0,
        "margin": 20.0,
        "hidden_layer_sizes": (4096, 4096),
        "discriminator_layer_sizes": (4096, 2048),
        "dropout": 0.1,
        "max_epochs": 10,
        "batch_size": 64,
        "lr": 1e-4,
        "optimizer": "adam",
    }

    def select_pairs(self, source: ViewRows, target: ViewRows) -> ViewRows:
        pairs = labeled_pairs(self, source, target)
        vectors = vectors_of_categories(self.label_vectors, self.classes_)
        before = getattr(self, "label_vectors_", vectors)
        same_task = self.warm_start and len(before) == len(vectors)
        if same_task and before.shape != vectors.shape:
            raise ValueError(
                f"warm_start goes on with label_vectors of the width of the last fit, "
                f"{before.shape[1]}, got {vectors.shape[1]}."
            )
        self.label_vectors_ = vectors
        return pairs

    def make_module(self, widths: dict[str, int], n_classes: int) -> nn.Module:
        return DADNModule(
            widths,
            self.label_vectors_.shape[1],
            hidden_layer_sizes=self.hidden_layer_sizes,
            discriminator_layer_sizes=self.discriminator_layer_sizes,
            dropout=self.dropout,
        )

    def make_objective(self, source: ViewRows, target: ViewRows) -> DADNObjective:
        return DADNObjective(
            self.label_vectors_,
            metric_weight=self.metric_weight,
            reconstruction_weight=self.reconstruction_weight,
            margin=self.margin,
        )
