"""The semi-supervised autoencoder of a domain, as an objective."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from skda.losses import cross_entropy, reconstruction_loss, squared_norm
from skda.training import Batch, Domain, Objective

__all__ = ["AutoEncoderObjective"]


class AutoEncoderObjective(Objective):
    r"""Reconstruct every row, classify the labeled ones and keep the weights small.

    .. math::

        J = w \, L_{recon} + L_{soft} + \lambda \sum_l \big( \lVert W_l \rVert_F^2
        + \lVert b_l \rVert_2^2 \big)

    Parameters
    ----------
    recon_weight : float, default=1.0
        Weight :math:`w` of the mean squared error of a row.
    lambda_reg : float, default=1e-4
        Weight :math:`\lambda` of the layers of the encoder and of the decoder.
    """

    def __init__(self, recon_weight: float = 1.0, lambda_reg: float = 1e-4) -> None:
        super().__init__()
        self.recon_weight = recon_weight
        self.lambda_reg = lambda_reg

    def terms(self, net: Any, domain: Domain) -> dict[str, Tensor]:
        """Evaluate the terms of one domain.

        Parameters
        ----------
        net : AutoEncoderClassifier
            Network of that domain.
        domain : Domain
            Rows that the step sees.

        Returns
        -------
        dict of str to Tensor of shape ()
            The terms, weighted.
        """
        z = net.encode(domain.X)  # (n, d)
        error = reconstruction_loss(domain.X, net.decode(z))
        norm = squared_norm(net.encoder, vectors=True)
        norm = norm + squared_norm(net.decoder, vectors=True)
        return {
            "reconstruction": self.recon_weight * error,
            "risk": cross_entropy(net.classify(z), domain.labels),
            "decay": self.lambda_reg * norm,
        }

    def forward(self, module: Any, batch: Batch, progress: float) -> dict[str, Tensor]:
        """Evaluate the terms of the target.

        Parameters
        ----------
        module : AutoEncoderClassifier
            Network of the target.
        batch : Batch
            What the step sees.
        progress : float
            Fraction of the training already done.

        Returns
        -------
        dict of str to Tensor of shape ()
            The terms, weighted.
        """
        return self.terms(module, batch.target)
