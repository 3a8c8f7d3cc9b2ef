"""Implicit semantic response alignment."""

from __future__ import annotations

from functools import partial
from numbers import Integral
from typing import Annotated, Any, Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import r2_score

from skda.base import BaseOneStreamClassifier, DomainName, estimator
from skda.modules import Topics
from skda.partial._ba3us import BA3US
from skda.partial._plug_in import BasePlugIn, SampleSet
from skda.partial._topics import TopicObjective
from skda.training import Domains, Phase, inverse_decay
from skda.utils._sklearn import Interval
from skda.utils.ranges import Count, NonNegative
from skda.utils.warnings import warn_user

__all__ = ["ISRA"]

#: Median coefficient of determination from which on receptors have learned.
LEARNED = 0.6


@estimator
class ISRA(BasePlugIn):
    r"""Implicit semantic response alignment, added to the training of another method.

    Finds topics in the features of the ``backbone``, in which classes of the source
    that the target lacks may still resemble those that it has, and aligns what each
    topic sees in the two domains [1]_. It adds to what the backbone minimizes

    .. math:: \alpha L_{c2v} + \beta L_a + L_r \tag{1}

    * :math:`L_{c2v}`: the mean squared error of an auto-encoder of the features
      :math:`x`, whose hidden units are the topics
      :math:`z = \max(W_e x + b_e, 0)`.
    * :math:`L_a`: how far the domains are apart, feature by feature and topic by topic,

    .. math:: L_a = \frac{1}{d} \sum_j \Bigl\| \frac{1}{n_s} \sum_{i \in S}
        \hat A_{ji} \odot x_i - \frac{1}{n_t} \sum_{i \in T} \hat A_{ji} \odot x_i
        \Bigr\|^2, \qquad \hat A_j = \frac{n A_j}{\| A_j \|_F}, \tag{2}

    where :math:`A_{ji}` is the attention of topic :math:`j` to the :math:`d` features
    of row :math:`i`, and a constant: only the features have a gradient.

    * :math:`L_r`: with ``attention="receptor"``, the regression of the topics on the
      features, which trains the receptors :math:`g_j` alone; features centered and of
      one scale, and topics of zero mean and unit variance,

    .. math:: L_r = \gamma \sum_j \Bigl( \frac{1}{n} \sum_i
        \bigl(z_{ij} - g_j(x_i)\bigr)^2 + \lambda \| W_j \|_1 \Bigr) . \tag{3}

    The attention, all of it in closed form, is

    * "encoder": :math:`|\partial z_{ij} / \partial x_i|`, which is what receptors
      estimate, without any. It has rank one, and costs two matrix products a step.
    * "receptor": :math:`|\partial g_j(x_i) / \partial x_i|`, for receptors with one
      hidden layer, as published.
    * "random": fixed random weights of the features, a control.
    * "uniform": one, a control, which aligns the means of the domains.

    Without a source there is nothing to align, and this is its backbone.

    Parameters
    ----------
    backbone : estimator object
        Method of :mod:`skda.partial` or :mod:`skda.unsupervised` that trains a network;
        None is ``BA3US(entropy_weight=0.1)``: without the entropy, the alignment blurs
        the target. Of one with several phases, the last is extended. All parameters of
        the training are the backbone's, such as ``backbone__max_epochs``, which can be
        set by that name if a backbone is passed.
    n_topics
        Number of topics, at most 4096.
    alpha
        Weight :math:`\alpha` of the auto-encoder.
    beta
        Weight :math:`\beta` of the alignment; 1 in the public code.
    attention
        Where the attention comes from.
    n_hidden
        Number of hidden units of a receptor.
    receptor_l1
        Weight :math:`\lambda` of the absolute values of their first weights.
    receptor_weight
        Weight :math:`\gamma` of their regression; ``1 / n_topics`` in the public code.
    receptor_lr
        Their learning rate, relative to the backbone's ``lr``; lower it for one that
        is above 0.05.
    receptor_scaling
        Whether they see features that are centered, divided by one scale, and
        standardized topics, by means and variances running over the steps. Otherwise,
        as in the public code, what they learn depends on the scale of the features:
        the topics of small ones vary less than the penalty weighs.
    residual_weighting
        Whether their attention to a row is multiplied by :math:`|z_{ij} - g_j(x_i)|`,
        as in the public code: they then see most where they are most wrong.
    decoder_activation
        Activation of the decoder, "relu" in the public code; None is none.

    Attributes
    ----------
    receptor_r2_ : ndarray of shape (n_topics,)
        Coefficient of determination of every receptor on the rows of both domains; ones
        where there are no receptors. One that is not above zero has learned nothing;
        that of a topic that is the same in all rows is zero.
    topic_masks_ : ndarray of shape (n_topics, n_components)
        Mean attention of every topic to the features of the target.

    See Also
    --------
    BA3US : The default backbone.
    skda.inspection.TopicMapDisplay : Draws what the topics see.

    Notes
    -----
    With the settings of the public code, the receptors do not learn: it divides
    Equation 3 by the number of topics at a small learning rate, so that the penalty
    wins. :meth:`published` has these settings, and its fits warn. There, the biases are
    penalized, too, the receptors' weights decay five times faster than those of the
    network, and rows that BA3US has pose as target rows count for the target in
    Equation 2; here they do not. Equations 2 and 3 have means over rows and features,
    as the public code, where the paper has sums over rows.

    Topics of features of unit length have a variance of a few thousandths, which the
    penalty outweighs: without ``receptor_scaling``, receptors then learn nothing in
    any number of steps. A median :math:`R^2` below 0.6 is warned of: in trials on
    Office-Caltech and PACS, the attention of such receptors correlated with the exact
    one, "encoder", by 0.3 or less, and by 0.5 from 0.9 on.

    For Office-31, the public code has ``alpha=0.1``, ``beta=0.5`` and 64 topics, on
    ``BA3US.published(lambda_cot=5.0, lr=0.001, max_steps=4000, n_refreshes=20)`` with
    the learning rate of ``partial(inverse_decay, alpha=4.0)``.

    Equations 1 to 3 are those of the public code, which takes means where the paper has
    sums. With domains of :math:`n / 2` rows each, :math:`L_{c2v}` is :math:`1 / (2d)`
    of the paper's, :math:`L_a` is :math:`4 / d` of the paper's, whose attention has
    norm one, and the squared errors of :math:`L_r`, to which the paper's
    :math:`\lambda` is relative, are :math:`1 / n` of the paper's.

    Rows of classes that the target lacks count fully in Equation 2, as published: a
    large ``beta`` brings the target near to them, too. Compare with the backbone alone.

    Of a backbone that does not look at the source as it adapts, such as :class:`SHOT`,
    the features of the source are a constant in Equation 2, and it is no longer free of
    the source.

    References
    ----------
    .. [1] W. Xiao, Z. Ding and H. Liu, "Implicit Semantic Response Alignment for
       Partial Domain Adaptation", NeurIPS 2021.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from skda.partial import ISRA
    >>> from skda.unsupervised import DANN
    >>> X, y = make_blobs(200, n_features=5, random_state=0)
    >>> X_target = X[:100][y[:100] < 2] + 1.0
    >>> clf = ISRA(DANN(max_epochs=10), n_topics=8, random_state=0)
    >>> clf = clf.fit(X_target, source=(X[100:], y[100:]))
    >>> clf.topics(X[:100]).shape
    (100, 8)
    """

    n_topics: Annotated[int, Interval(Integral, 1, 4096, closed="both")] = 64
    alpha: NonNegative = 1.0
    beta: NonNegative = 0.1
    attention: Literal["encoder", "receptor", "random", "uniform"] = "encoder"
    n_hidden: Count = 128
    receptor_l1: NonNegative = 0.001
    receptor_weight: NonNegative = 1.0
    receptor_lr: NonNegative = 1.0
    receptor_scaling: bool = True
    residual_weighting: bool = False
    decoder_activation: Literal["relu"] | None = None

    @classmethod
    def default_backbone(cls) -> BaseOneStreamClassifier:
        return BA3US(entropy_weight=0.1)

    @classmethod
    def published(cls, **overrides: Any) -> Self:
        """Build the estimator with the settings of the published code.

        Parameters
        ----------
        **overrides : dict
            Parameters to set otherwise.

        Returns
        -------
        estimator : object
            Unfitted estimator with the settings of the public code for Office-Home. For
            Office-31, the paper has ``n_topics=64, alpha=0.1, beta=0.5`` and 4000
            steps, ``backbone__max_steps``.
        """
        n_topics = overrides.get("n_topics", 256)
        published = {
            "backbone": BA3US.published(
                n_components=512,
                max_steps=8000,
                n_refreshes=16,
                lr_schedule=partial(inverse_decay, alpha=8.0),
            ),
            "n_topics": n_topics,
            "beta": 1.0,
            "attention": "receptor",
            "receptor_l1": 0.5,
            "receptor_weight": 1 / max(n_topics, 1),
            "receptor_lr": 0.1,
            "receptor_scaling": False,
            "residual_weighting": True,
            "decoder_activation": "relu",
        }
        return cls(**(published | overrides))

    def set_fitted_attributes(self, X: SampleSet, source: Any) -> None:
        for name in ("receptor_r2_", "topic_masks_"):  # of an earlier fit
            vars(self).pop(name, None)
        self._has_topics = source is not None
        if source is None:
            return
        topics = self._fitted_topics()
        features = self._features(X, "target")
        self.topic_masks_ = topics.masks(features).cpu().numpy()
        both = torch.cat([features, self._features(source[0], "source")])
        responses = [part.cpu().numpy() for part in topics.responses(both)]
        self.receptor_r2_ = r2_score(*responses, multioutput="raw_values")
        _check_receptors(self.receptor_r2_[np.ptp(responses[0], axis=0) > 0])

    def topics(
        self, X: SampleSet, *, domain: DomainName = "target"
    ) -> NDArray[np.float32]:
        """Find the topics of samples.

        Parameters
        ----------
        X : array-like, sparse matrix or Dataset of n_samples samples
            Samples, as the backbone takes them.
        domain : {"target", "source"}, default="target"
            Domain they come from.

        Returns
        -------
        ndarray of shape (n_samples, n_topics)
            How much there is of every topic in every sample.
        """
        topics = self._fitted_topics()
        return topics.responses(self._features(X, domain))[0].cpu().numpy()

    def topic_attention(
        self, X: SampleSet, topic: int, *, domain: DomainName = "target"
    ) -> NDArray[np.float32]:
        """Evaluate what a topic sees in samples.

        Parameters
        ----------
        X : array-like, sparse matrix or Dataset of n_samples samples
            Samples, as the backbone takes them.
        topic : int
            Which topic.
        domain : {"target", "source"}, default="target"
            Domain they come from.

        Returns
        -------
        ndarray of shape (n_samples, n_components)
            Its attention to every feature, whatever the other samples.
        """
        topics = self._fitted_topics()
        if not isinstance(topic, Integral) or not 0 <= topic < self.n_topics:
            raise ValueError(
                f"Expected a topic from 0 to {self.n_topics - 1}, got {topic!r}."
            )
        return topics.map_of(self._features(X, domain), topic).cpu().numpy()

    def topic_weights(
        self, X: SampleSet, *, domain: DomainName = "target"
    ) -> NDArray[np.float32]:
        """Evaluate how much the topics see of samples.

        Parameters
        ----------
        X : array-like, sparse matrix or Dataset of n_samples samples
            Samples, as the backbone takes them.
        domain : {"target", "source"}, default="target"
            Domain they come from.

        Returns
        -------
        ndarray of shape (n_samples, n_topics)
            Length of the attention of every topic to every sample.
        """
        topics = self._fitted_topics()
        return topics.row_weights(self._features(X, domain)).cpu().numpy()

    def extend_phases(
        self, module: Any, phases: list[Phase], domains: Domains
    ) -> list[Phase]:
        topics = Topics(
            module.head.in_features,
            self.n_topics,
            attention=self.attention,
            n_hidden=self.n_hidden,
            receptor_scaling=self.receptor_scaling,
            residual_weighting=self.residual_weighting,
            decoder_activation=self.decoder_activation,
        )
        goes_on = self.backbone is not None and self.backbone.warm_start
        if goes_on and vars(self).get("_has_topics"):
            topics.go_on_from(self._fitted_topics())
        *others, last = phases
        objective = TopicObjective(
            last.criterion,
            topics,
            alpha=self.alpha,
            beta=self.beta,
            receptor_weight=self.receptor_weight,
            receptor_l1=self.receptor_l1,
            receptor_lr=self.receptor_lr,
        )
        return [*others, last._replace(criterion=objective)]

    def _fitted_topics(self) -> Topics:
        backbone: Any = self._fitted_backbone()
        if not self._has_topics:
            raise ValueError(
                "This ISRA was last fitted without a source, and has no topics: fit it "
                "with source=(X_source, y_source)."
            )
        topics: Topics = backbone.net_.criterion_.topics
        return topics


def _check_receptors(r2: NDArray[np.floating]) -> None:
    """Say so if the receptors of the topics that vary have not learned them."""
    median = np.median(r2) if len(r2) else 1.0
    if median < LEARNED:
        warn_user(
            f"The receptors have not learned the topics: their median R² is "
            f"{median:.2f}, and below {LEARNED} what they attend to is mostly noise. "
            f"Train longer (max_epochs or max_steps of the backbone), raise "
            f"receptor_lr, or use attention='encoder', which is exact.",
            ConvergenceWarning,
        )
