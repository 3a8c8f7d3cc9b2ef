"""Adversarial cross-modal retrieval."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from numbers import Real
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from skda.base import BaseNetRetriever
from skda.losses import cross_entropy
from skda.modules import MultiViewEncoder, multilayer_perceptron, reverse_gradient
from skda.training import Batch, Objective, sigmoid_ramp
from skda.utils._sklearn import Interval
from skda.utils.views import ViewRows
from skda.utils.warnings import warn_user

__all__ = ["ACMR"]


class ACMRModule(MultiViewEncoder):
    """A projector per view, a classifier of categories and a discriminator of views."""

    def __init__(
        self,
        widths: Mapping[str, int],
        n_components: int,
        n_classes: int,
        **layout: Any,
    ) -> None:
        super().__init__(widths, n_components, last=nn.Tanh(), **layout)
        self.classifier = nn.Linear(n_components, n_classes)
        halves = [max(n_components // k, 2) for k in (2, 4)]
        self.discriminator = multilayer_perceptron([n_components, *halves, len(widths)])
        for layers in (*self.encoders, self.discriminator):
            _bend_by_tanh(layers)

    def classify(self, z: Tensor) -> Tensor:
        """Map embeddings, of shape (n, d), to category logits, of shape (n, c)."""
        return self.classifier(z).to(z.dtype)

    def discriminate(self, z: Tensor, reversal: float) -> Tensor:
        """Map embeddings, of shape (n, d), to logits of the views, of shape (n, v)."""
        return self.discriminator(reverse_gradient(z, reversal)).to(z.dtype)


class ACMRObjective(Objective):
    """Equation 1 of :class:`ACMR`."""

    def __init__(
        self,
        *,
        label_weight: float,
        dissimilar_weight: float,
        adversarial_weight: float,
        margin: float,
    ) -> None:
        super().__init__()
        self.label_weight = label_weight
        self.dissimilar_weight = dissimilar_weight
        self.adversarial_weight = adversarial_weight
        self.margin = margin

    def forward(
        self, module: ACMRModule, batch: Batch, progress: float
    ) -> dict[str, Tensor]:
        """Evaluate the four terms of Equation 1 on one batch."""
        X, labels, _ = batch.target
        z = module(X)  # (v, b, d)
        n_views, n_rows, _ = z.shape
        rows = z.flatten(0, 1)  # (v * b, d), view by view
        categories = labels.repeat(n_views, 1)  # (v * b, c)
        sides = torch.eye(n_views, dtype=z.dtype, device=z.device)
        views = sides.repeat_interleave(n_rows, dim=0)  # (v * b, v)
        known = categories.sum(dim=1, keepdim=True)  # (v * b, 1)

        similar, dissimilar = self.invariance(rows, categories, views)
        seen_as = module.discriminate(rows, sigmoid_ramp(progress))
        label_loss = n_views * cross_entropy(module.classify(rows), categories)
        return {
            "label": self.label_weight * label_loss,
            "similar": similar,
            "dissimilar": self.dissimilar_weight * dissimilar,
            "modality": self.adversarial_weight * cross_entropy(seen_as, known * views),
        }

    def invariance(
        self, rows: Tensor, categories: Tensor, views: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Compare the rows of different views, by whether they share a category."""
        lengths = rows.square().sum(dim=1)  # (n,)
        D = (lengths[:, None] + lengths - 2 * rows @ rows.T).clamp(min=0)  # (n, n)
        same = categories @ categories.T
        known = categories.sum(dim=1)
        across = 1 - views @ views.T
        similar = across * same
        different = across * (known[:, None] * known - same)
        overlap = (self.margin - D).clamp(min=0)
        return _mean(D, similar), _mean(overlap, different)


class ACMR(BaseNetRetriever):
    r"""Adversarial cross-modal retrieval.

    Projects labeled views into one space where a classifier tells the categories, rows
    of a category are close whatever their view, rows of others are apart, and a
    discriminator cannot tell the views. With projections :math:`a_i, t_j` of two views,

    .. math::

        \min_{a, t, C} \max_D \;&
            \lambda_y \operatorname*{mean}_i \big(H(y_i, C(a_i)) + H(y_i, C(t_i))\big)
            + \operatorname*{mean}_{y_i = y_j} \lVert a_i - t_j \rVert^2 \\
        &+ \lambda_d \operatorname*{mean}_{y_i \ne y_j}
            \max\big(0, \mu - \lVert a_i - t_j \rVert^2\big)
            - \lambda_a \operatorname*{mean}_i \big(H(\text{a}, D(a_i))
            + H(\text{t}, D(t_i))\big) / 2

    :math:`H` is the cross-entropy. The discriminator's gradient is reversed, with a
    weight that rises from 0 to 1 in the course of the training. The second and third
    term are the paper's triplet constraint, over all triplets of a batch at once; with
    more views, over all pairs of different ones. Only labeled pairs are used, those of
    ``source`` and those that have a label in ``y``.

    Parameters
    ----------
    n_components : int, default=40
        Dimension of the common space.
    hidden_layer_sizes : sequence of int, default=(512, 100)
        Width of the hidden layers of every projector, whose layers all end in tanh.
    label_weight : float, default=100.0
        Weight :math:`\lambda_y`.
    dissimilar_weight : float, default=0.02
        Weight :math:`\lambda_d`.
    adversarial_weight : float, default=1.0
        Weight :math:`\lambda_a`; 0 leaves the discriminator out.
    margin : float, default=0.1
        Squared distance :math:`\mu` beyond which categories need not be apart.
    dropout : float, default=0.0
        Fraction of the hidden units to drop in training.
    views : mapping of str to slice or list, default=None
        Columns of every view, where one array is passed.
    shared_transformer : transformer, default=None
        Fitted for each view on all pairs, before all else; a
        :class:`skda.preprocessing.PerView` for a different one in each view.
    scaling : {"feature", "view"} or None, default="feature"
        Whether to standardize, by all pairs, every feature or the view as a whole.
    max_epochs : int, default=50
        Passes over the labeled pairs.
    max_steps : int, default=None
        Steps to take instead, rounded up to whole epochs.
    batch_size : int, default=64
        Most pairs to draw at every step; -1 for all of them.
    lr : float, default=0.0003
        Learning rate.
    optimizer : {"sgd", "adam", "adamw", "rmsprop"} or callable, default="adam"
        Optimizer; a callable brings its own momentum and weight decay.
    momentum : float, default=0.9
        Momentum of "sgd", which is Nesterov's, and of "rmsprop".
    weight_decay : float, default=0.0
        Weight decay of the optimizer.
    lr_schedule : {"constant", "cosine", "inverse"} or callable, default="constant"
        Factor of the learning rate; a callable maps the progress to it.
    callbacks : list of skorch callbacks, default=None
        Copied, then called during training; ``net_.callbacks_`` has the copies.
    device : str or torch.device, default="auto"
        Where to train and embed; "auto" is CUDA where there is one.
    precision : {"float32", "bfloat16", "auto"}, default="float32"
        Precision of the layers in training; "auto" is bfloat16 where the device
        computes in it.
    random_state : int, RandomState instance or None, default=None
        Seed of the initial weights, of the batches and of the dropout.
    verbose : int, default=0
        Whether to show a progress bar with every loss term.
    warm_start : bool, default=False
        Whether to go on with the network of the last fit.

    Attributes
    ----------
    net_ : DomainNet
        The fitted skorch net.
    history_ : dict of str to ndarray of shape (`n_iter_`,)
        Epoch, phase and every term of the objective.
    n_iter_ : int
        Number of epochs run.

    See Also
    --------
    DMTL : Uses the unlabeled pairs as well.
    RidgeCCA : The linear control, in closed form.

    Notes
    -----
    What it learns to tell are the known categories: without labels in ``y``, expect
    little of it on new ones. :meth:`published` returns the weights and the training of
    the public code, which departs from the paper, and this from it: the distances of
    the code are not squared ones (it adds up coordinates, not their squares), it pulls
    together only the two rows of a pair, trains neither its classifier nor, by the
    discriminator, its projectors, and measures mAP@50 by Euclidean distance.

    References
    ----------
    .. [1] B. Wang, Y. Yang, X. Xu, A. Hanjalic and H. T. Shen, "Adversarial cross-modal
       retrieval", ACM Multimedia 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from skda.retrieval import ACMR
    >>> rng = np.random.default_rng(0)
    >>> y = np.repeat([0, 1, 2, 3], 20)
    >>> latent = rng.normal(size=(4, 4))[y] + 0.3 * rng.normal(size=(80, 4))
    >>> X = latent @ rng.normal(size=(4, 13))
    >>> views = {"image": slice(8), "text": slice(8, 13)}
    >>> acmr = ACMR(views=views, max_epochs=5, random_state=0)
    >>> acmr.fit(X, y).transform(X).shape
    (80, 80)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseNetRetriever._parameter_constraints,
        "label_weight": [Interval(Real, 0, None, closed="left")],
        "dissimilar_weight": [Interval(Real, 0, None, closed="left")],
        "adversarial_weight": [Interval(Real, 0, None, closed="left")],
        "margin": [Interval(Real, 0, None, closed="left")],
    }
    published_params: ClassVar[dict[str, Any]] = {
        "label_weight": 100.0,
        "dissimilar_weight": 0.02,
        "max_epochs": 200,
        "lr": 1e-4,
        "optimizer": partial(torch.optim.Adam, betas=(0.5, 0.999)),
    }

    def __init__(
        self,
        *,
        n_components: int = 40,
        hidden_layer_sizes: Sequence[int] = (512, 100),
        label_weight: float = 100.0,
        dissimilar_weight: float = 0.02,
        adversarial_weight: float = 1.0,
        margin: float = 0.1,
        dropout: float = 0.0,
        views: Mapping[str, Any] | None = None,
        shared_transformer: Any = None,
        scaling: str | None = "feature",
        max_epochs: int = 50,
        max_steps: int | None = None,
        batch_size: int = 64,
        lr: float = 3e-4,
        optimizer: str | Callable[..., Any] = "adam",
        momentum: float = 0.9,
        weight_decay: float = 0.0,
        lr_schedule: str | Callable[[float], float] = "constant",
        callbacks: list[Any] | None = None,
        device: str | torch.device = "auto",
        precision: str = "float32",
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
        warm_start: bool = False,
    ) -> None:
        self.n_components = n_components
        self.hidden_layer_sizes = hidden_layer_sizes
        self.label_weight = label_weight
        self.dissimilar_weight = dissimilar_weight
        self.adversarial_weight = adversarial_weight
        self.margin = margin
        self.dropout = dropout
        self.views = views
        self.shared_transformer = shared_transformer
        self.scaling = scaling
        self.max_epochs = max_epochs
        self.max_steps = max_steps
        self.batch_size = batch_size
        self.lr = lr
        self.optimizer = optimizer
        self.momentum = momentum
        self.weight_decay = weight_decay
        self.lr_schedule = lr_schedule
        self.callbacks = callbacks
        self.device = device
        self.precision = precision
        self.random_state = random_state
        self.verbose = verbose
        self.warm_start = warm_start

    def select_pairs(self, source: ViewRows, target: ViewRows) -> ViewRows:
        """Keep the pairs of which a category is known."""
        if len(self.classes_) < 2:
            raise ValueError(
                f"ACMR expects pairs of at least two categories, got "
                f"{self.classes_.tolist()}: label pairs in y, or pass source=(views, "
                f"y_source)."
            )
        pairs = source.stack(target)
        labeled = pairs.labeled()
        if labeled.n_rows < pairs.n_rows:
            warn_user(
                f"ACMR learns from labeled pairs alone: it leaves out "
                f"{pairs.n_rows - labeled.n_rows} unlabeled pairs of {pairs.n_rows}."
            )
        return labeled

    def make_module(self, widths: dict[str, int], n_classes: int) -> nn.Module:
        return ACMRModule(
            widths,
            self.n_components,
            n_classes,
            hidden_layer_sizes=self.hidden_layer_sizes,
            dropout=self.dropout,
        )

    def make_objective(self, source: ViewRows, target: ViewRows) -> ACMRObjective:
        return ACMRObjective(
            label_weight=self.label_weight,
            dissimilar_weight=self.dissimilar_weight,
            adversarial_weight=self.adversarial_weight,
            margin=self.margin,
        )


def _bend_by_tanh(layers: nn.Sequential) -> None:
    """Put tanh in the place of every ReLU, as this paper does."""
    for place, layer in enumerate(layers):
        if isinstance(layer, nn.ReLU):
            layers[place] = nn.Tanh()


def _mean(values: Tensor, weight: Tensor) -> Tensor:
    """Average, and make zero of nothing."""
    return (weight * values).sum() / weight.sum().clamp(min=1)
