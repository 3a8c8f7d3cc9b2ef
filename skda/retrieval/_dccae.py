"""Deep canonically correlated autoencoders."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from numbers import Real
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from skda.modules import MultiViewEncoder, multilayer_perceptron
from skda.retrieval._dcca import DCCA, DCCAObjective
from skda.training import Batch
from skda.utils._sklearn import Interval
from skda.utils.views import ViewRows

__all__ = ["DCCAE"]


class DCCAEModule(MultiViewEncoder):
    """An encoder per view, and a decoder that mirrors it."""

    def __init__(
        self,
        widths: Mapping[str, int],
        n_components: int,
        *,
        hidden_layer_sizes: Sequence[int],
        dropout: float,
    ) -> None:
        super().__init__(
            widths, n_components, hidden_layer_sizes=hidden_layer_sizes, dropout=dropout
        )
        mirrored = list(hidden_layer_sizes)[::-1]
        self.decoders = nn.ModuleList(
            multilayer_perceptron([n_components, *mirrored, width], dropout=dropout)
            for width in widths.values()
        )

    def decode(self, embeddings: Tensor) -> tuple[Tensor, ...]:
        """Map embeddings, of shape (v, n, d), back to rows of every view."""
        pairs = zip(self.decoders, embeddings, strict=True)
        return tuple(decoder(rows).to(rows.dtype) for decoder, rows in pairs)


class DCCAEObjective(DCCAObjective):
    """Equation 1 of :class:`DCCAE`."""

    def __init__(self, *, regularization: float, lambda_reconstruction: float) -> None:
        super().__init__(regularization=regularization)
        self.lambda_reconstruction = lambda_reconstruction

    def forward(
        self, module: DCCAEModule, batch: Batch, progress: float
    ) -> dict[str, Tensor]:
        """Correlate the two views of one batch, and reconstruct them."""
        X = batch.target.X
        embeddings = module(X)  # (2, b, d)
        reconstructed = torch.cat(module.decode(embeddings), dim=1)  # (b, p)
        errors = (X - reconstructed).square().sum(dim=1)  # (b,)
        return self.correlation(embeddings) | {
            "reconstruction": self.lambda_reconstruction * errors.mean()
        }


class DCCAE(DCCA):
    r"""Deep canonically correlated autoencoders.

    :class:`DCCA` whose outputs must also tell what came in. With encoders
    :math:`f, g` of two views, of which :math:`s` are the canonical correlations, and
    decoders :math:`p, q`,

    .. math::

        \min \; -\sum_j s_j\big(f(X), g(Y)\big) + \frac \lambda n \sum_i \Big(
        \big\lVert x_i - p(f(x_i)) \big\rVert^2
        + \big\lVert y_i - q(g(y_i)) \big\rVert^2 \Big)

    Labels are not used, the pairs of the source are.

    Parameters
    ----------
    n_components : int, default=10
        Number of outputs of each network. A step must have several times as many
        pairs: where it has not, everything correlates, and nothing is learned.
    hidden_layer_sizes : sequence of int, default=(512, 512)
        Width of the hidden layers of both encoders; the decoders mirror them.
    lambda_reconstruction : float, default=0.01
        Weight :math:`\lambda`; the paper looks between 0.001 and 10.
    regularization : float, default=1e-3
        Ridge added to the variances of the outputs.
    correlation_power : float, default=1.0
        Power of the correlations that weights the directions; 0 is the paper's.
    dropout : float, default=0.5
        Fraction of the hidden units to drop in training.
    views : mapping of str to slice or list, default=None
        Columns of both views, where one array is passed.
    shared_transformer : transformer, default=None
        Fitted for each view on all pairs, before all else; a
        :class:`skda.preprocessing.PerView` for a different one in each view.
    scaling : {"feature", "view"} or None, default="feature"
        Whether to standardize, by all pairs, every feature or the view as a whole.
    max_epochs : int, default=50
        Passes over all pairs.
    max_steps : int, default=None
        Steps to take instead, rounded up to whole epochs.
    batch_size : int, default=750
        Most pairs to draw at every step; -1 for all of them.
    lr : float, default=0.001
        Learning rate.
    optimizer : {"sgd", "adam", "adamw", "rmsprop"} or callable, default="adamw"
        Optimizer; a callable brings its own momentum and weight decay.
    momentum : float, default=0.9
        Momentum of "sgd", which is Nesterov's, and of "rmsprop".
    weight_decay : float, default=0.1
        Weight decay of the optimizer.
    lr_schedule : {"constant", "cosine", "inverse"} or callable, default="constant"
        Factor of the learning rate; a callable maps the progress to it.
    callbacks : list of skorch callbacks, default=None
        Copied, then called during training; ``net_.callbacks_`` has the copies.
    device : str or torch.device, default="auto"
        Where to train and embed; "auto" is CUDA where there is one.
    precision : {"float32", "bfloat16", "auto"}, default="float32"
        Precision of the layers in training; "auto" is bfloat16 where the device
        computes in it. The correlations are taken in float64.
    random_state : int, RandomState instance or None, default=None
        Seed of the initial weights, of the batches and of the dropout.
    verbose : int, default=0
        Whether to show a progress bar with every loss term.
    warm_start : bool, default=False
        Whether to go on with the network of the last fit.

    Attributes
    ----------
    correlations_ : ndarray of shape (n_components,)
        Canonical correlations :math:`s` of the outputs for all pairs.
    means_ : dict of str to ndarray of shape (n_components,)
        Mean output of each network.
    weights_ : dict of str to ndarray of shape (n_components, n_components)
        What the centered outputs are mapped by.
    net_ : DomainNet
        The fitted skorch net.
    history_ : dict of str to ndarray of shape (`n_iter_`,)
        Epoch, phase and every term of the objective.
    n_iter_ : int
        Number of epochs run.

    See Also
    --------
    DCCA : Does not reconstruct.
    RidgeCCA : The linear control, in closed form.

    References
    ----------
    .. [1] W. Wang, R. Arora, K. Livescu and J. Bilmes, "On deep multi-view
       representation learning", ICML 2015.

    Examples
    --------
    >>> import numpy as np
    >>> from skda.retrieval import DCCAE
    >>> rng = np.random.default_rng(0)
    >>> latent = rng.normal(size=(200, 4))
    >>> X = latent @ rng.normal(size=(4, 13))
    >>> views = {"image": slice(8), "text": slice(8, 13)}
    >>> dcca = DCCAE(n_components=3, views=views, max_epochs=5, random_state=0)
    >>> dcca.fit(X).transform(X).shape
    (200, 6)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **DCCA._parameter_constraints,
        "lambda_reconstruction": [Interval(Real, 0, None, closed="left")],
    }
    published_params: ClassVar[dict[str, Any]] = {
        "correlation_power": 0.0,
        "regularization": 1e-4,
        "dropout": 0.0,
        "weight_decay": 1e-4,
    }

    def __init__(
        self,
        *,
        n_components: int = 10,
        hidden_layer_sizes: Sequence[int] = (512, 512),
        lambda_reconstruction: float = 1e-2,
        regularization: float = 1e-3,
        correlation_power: float = 1.0,
        dropout: float = 0.5,
        views: Mapping[str, Any] | None = None,
        shared_transformer: Any = None,
        scaling: str | None = "feature",
        max_epochs: int = 50,
        max_steps: int | None = None,
        batch_size: int = 750,
        lr: float = 1e-3,
        optimizer: str | Callable[..., Any] = "adamw",
        momentum: float = 0.9,
        weight_decay: float = 0.1,
        lr_schedule: str | Callable[[float], float] = "constant",
        callbacks: list[Any] | None = None,
        device: str | torch.device = "auto",
        precision: str = "float32",
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
        warm_start: bool = False,
    ) -> None:
        super().__init__(
            n_components=n_components,
            hidden_layer_sizes=hidden_layer_sizes,
            regularization=regularization,
            correlation_power=correlation_power,
            dropout=dropout,
            views=views,
            shared_transformer=shared_transformer,
            scaling=scaling,
            max_epochs=max_epochs,
            max_steps=max_steps,
            batch_size=batch_size,
            lr=lr,
            optimizer=optimizer,
            momentum=momentum,
            weight_decay=weight_decay,
            lr_schedule=lr_schedule,
            callbacks=callbacks,
            device=device,
            precision=precision,
            random_state=random_state,
            verbose=verbose,
            warm_start=warm_start,
        )
        self.lambda_reconstruction = lambda_reconstruction

    def make_module(self, widths: dict[str, int], n_classes: int) -> nn.Module:
        return DCCAEModule(
            widths,
            self.n_components,
            hidden_layer_sizes=self.hidden_layer_sizes,
            dropout=self.dropout,
        )

    def make_objective(self, source: ViewRows, target: ViewRows) -> DCCAEObjective:
        return DCCAEObjective(
            regularization=self.regularization,
            lambda_reconstruction=self.lambda_reconstruction,
        )
