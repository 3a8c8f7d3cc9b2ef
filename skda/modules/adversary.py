"""A classifier with an adversary that tells the domains apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn
from torch.func import functional_call

from skda.modules.dropout import quicken_dropout
from skda.modules.multi_view import multilayer_perceptron
from skda.modules.one_stream import OneStreamClassifier

__all__ = ["AdversarialClassifier"]


class AdversarialClassifier(OneStreamClassifier):
    """A network for both domains, and a discriminator of the domains.

    Parameters
    ----------
    extractor : nn.Module
        Network from samples to rows of ``d`` features.
    n_components : int
        Number of features ``d``.
    n_classes : int
        Number of classes.
    n_inputs : int, default=None
        Width of what the discriminator looks at; None is that of the features.
    discriminator_layer_sizes : sequence of int, default=(256, 256)
        Width of every hidden layer of the discriminator.
    dropout : float, default=0.5
        Fraction of its hidden units to drop in training.
    discriminator_batch_norm : bool, default=False
        Whether its hidden layers have a batch norm.
    **layout : dict
        Passed to :class:`OneStreamClassifier`.

    Examples
    --------
    >>> import torch
    >>> from torch import nn
    >>> from skda.modules import AdversarialClassifier
    >>> net = AdversarialClassifier(nn.Linear(5, 4), 4, n_classes=3)
    >>> net.discriminate(torch.randn(2, 4)).shape
    torch.Size([2])
    """

    def __init__(
        self,
        extractor: nn.Module,
        n_components: int,
        n_classes: int,
        *,
        n_inputs: int | None = None,
        discriminator_layer_sizes: Sequence[int] = (256, 256),
        dropout: float = 0.5,
        discriminator_batch_norm: bool = False,
        **layout: Any,
    ) -> None:
        super().__init__(extractor, n_components, n_classes, **layout)
        widths = [n_inputs or n_components, *discriminator_layer_sizes, 1]
        self.discriminator = quicken_dropout(
            multilayer_perceptron(
                widths, dropout=dropout, batch_norm=discriminator_batch_norm
            )
        )

    def discriminate(self, f: Tensor, *, fixed: bool = False) -> Tensor:
        """Map features to logits of "this row is from the source".

        Parameters
        ----------
        f : Tensor of shape (n, m)
            Features.
        fixed : bool, default=False
            Whether to pass the gradient on to the features, and take none.

        Returns
        -------
        Tensor of shape (n,)
            The logits.
        """
        precision = self.head.weight.dtype  # whatever autocast has made of f
        if not fixed:
            return self.discriminator(f).to(precision).squeeze(1)
        parameters = self.discriminator.named_parameters()
        constants = {name: parameter.detach() for name, parameter in parameters}
        return (
            functional_call(self.discriminator, constants, f).to(precision).squeeze(1)
        )
