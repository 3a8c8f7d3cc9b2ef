"""A semi-supervised autoencoder on the target alone."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar, Literal

import torch
from torch import nn

from skda.base import (
    AutoEncoderObjective,
    BaseNetClassifier,
    DomainName,
    Rows,
    Sizes,
    estimator,
)
from skda.baselines._control import TargetLearner
from skda.modules import AutoEncoderClassifier
from skda.training import Objective
from skda.utils.ranges import LayerSizes, NonNegative
from skda.utils.scaling import make_standard_scaler
from skda.utils.validation import check_layers

__all__ = ["SSDAE"]


@estimator
class SSDAE(TargetLearner, BaseNetClassifier):
    r"""Semi-supervised deep autoencoder on the target alone.

    A control of networks that adapt: what the unlabeled rows of the target teach by
    themselves. It is the first phase of :class:`skda.heterogeneous.DATN` [1]_. With
    an encoder :math:`z(x)` of linear layers and ReLU, a decoder :math:`\hat x(z)` that
    mirrors it with weights of its own, and a linear classifier :math:`\theta_T` of
    :math:`z`, it minimizes

    .. math::

        w \, \frac 1 n \sum_i \lVert \hat x_i - x_i \rVert^2 - \frac 1 {n^L} \sum_j
        \log \operatorname{softmax}_{y_j} (z_j \theta_T) + \lambda \sum_l \Big(
        \lVert W_l \rVert_F^2 + \lVert b_l \rVert^2 \Big) , \tag{1}

    over all :math:`n` rows, the :math:`n^L` labeled ones, and the layers :math:`l` of
    encoder and decoder. A ``source`` is accepted and ignored.

    Parameters
    ----------
    hidden_layer_sizes
        Width of every layer of the encoder.
    linear_top
        Whether the last layer of the encoder is linear.
    recon_weight
        Weight :math:`w` of the reconstruction; that of DATN, which was chosen for DATN
        on three splits of one data set.
    lambda_reg
        Weight :math:`\lambda` of the layers.
    scaling : {"feature"} or None
        Whether to standardize every feature.
    max_epochs
        Passes over the target.
    batch_size
        Most samples to draw at every step; -1 for all of them. A step whose samples
        are all unlabeled has no part in the classification.
    weight_decay
        Weight decay of the optimizer, beside :math:`\lambda`.

    See Also
    --------
    TargetNet : A network of the labeled rows alone.
    skda.heterogeneous.DATN : Goes on with two such networks.

    Notes
    -----
    There is no public code. :meth:`published` takes the paper's learning rate of 0.0001
    and its decay and momentum of 0.8, which are the arguments of TensorFlow's RMSprop,
    on the whole target at every step; the paper names no number of epochs. Its
    reconstruction is a sum over the rows, which would drown the classification.

    References
    ----------
    .. [1] D. Wang, P. Cui and W. Zhu, "Deep Asymmetric Transfer Network for Unbalanced
       Domain Adaptation", AAAI 2018.

    Examples
    --------
    >>> from skda.baselines import SSDAE
    >>> from skda.datasets import label_few, load_digits_domains
    >>> digits = load_digits_domains()
    >>> y = label_few(digits.y, 3, random_state=0)
    >>> clf = SSDAE(max_epochs=10, random_state=0).fit(digits.X, y)
    >>> clf.transform(digits.X).shape == (len(y), 64)
    True
    """

    hidden_layer_sizes: LayerSizes = (128, 64)
    linear_top: bool = False
    recon_weight: NonNegative = 0.01
    lambda_reg: NonNegative = 1e-4
    scaling: Literal["feature"] | None = "feature"
    max_epochs = 200
    batch_size = 128

    published_params: ClassVar[dict[str, Any]] = {
        "recon_weight": 1.0,
        "lr": 1e-4,
        "optimizer": partial(torch.optim.RMSprop, alpha=0.8, momentum=0.8),
        "batch_size": -1,
    }

    def fit_rows(self, source: Rows, target: Rows) -> None:
        check_layers(self.hidden_layer_sizes)
        super().fit_rows(source, target)

    def make_module(self, sizes: Sizes) -> nn.Module:
        return AutoEncoderClassifier(
            sizes.n_target_features,
            self.hidden_layer_sizes,
            sizes.n_classes,
            linear_top=self.linear_top,
        )

    def make_objective(self) -> Objective:
        return AutoEncoderObjective(self.recon_weight, self.lambda_reg)

    def make_target_objective(self) -> Objective:
        return self.make_objective()

    def make_preprocessor(self, domain: DomainName) -> Any:
        return None if self.scaling is None else make_standard_scaler()
