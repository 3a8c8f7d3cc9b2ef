"""Classifiers with one network for both domains, of rows or of images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_array
from torch import Tensor, nn
from torch.utils.data import Dataset

from skda.base._classifier import DomainName
from skda.base._homogeneous import BaseHomogeneousClassifier
from skda.base._net_classifier import BaseNetClassifier, Sizes
from skda.data import Batch, Domains, Samples, labels_of
from skda.losses import cross_entropy
from skda.modules import (
    OneStreamClassifier,
    has_batch_norm,
    row_extractor,
    width_after,
)
from skda.net import Objective, Phase
from skda.utils._sklearn import Interval
from skda.utils.validation import transformed

__all__ = ["BaseOneStreamClassifier", "OneStreamObjective"]

SampleSet = ArrayLike | Dataset[Any]


class OneStreamObjective(Objective):
    """The risk of the labeled rows of both domains, and what a method adds to it.

    Parameters
    ----------
    lambda0 : float, default=1.0
        Weight of what the method adds, at the end of the training.
    """

    def __init__(self, lambda0: float = 1.0) -> None:
        super().__init__()
        self.lambda0 = lambda0
        self.semi_supervised = True

    def start_fit(self, module: Any, domains: Batch) -> None:
        """See whether there is a labeled target row at all.

        Parameters
        ----------
        module : nn.Module
            Network.
        domains : Batch
            Every row.
        """
        self.semi_supervised = bool(domains.target.labels.any())

    def forward(self, module: Any, batch: Batch, progress: float) -> dict[str, Tensor]:
        """Evaluate the risks and the terms of the method on one batch.

        Parameters
        ----------
        module : OneStreamClassifier
            Network.
        batch : Batch
            What the step sees.
        progress : float
            Fraction of the training already done.

        Returns
        -------
        dict of str to Tensor of shape ()
            The terms, weighted.
        """
        source, target, _ = batch
        f_s, f_t = module.encode_both(source.X, target.X)
        v_s, v_t = module.classify(f_s), module.classify(f_t)
        terms = {"source_risk": cross_entropy(v_s, source.labels)}
        if self.semi_supervised:
            terms["target_risk"] = cross_entropy(v_t, target.labels)
        return terms | self.adapt(module, (f_s, f_t), (v_s, v_t), progress)

    def adapt(
        self,
        module: Any,
        features: tuple[Tensor, Tensor],
        logits: tuple[Tensor, Tensor],
        progress: float,
    ) -> dict[str, Tensor]:
        """Evaluate what brings the domains together; nothing, unless a method says.

        Parameters
        ----------
        module : OneStreamClassifier
            Network.
        features : tuple of Tensor of shape (n_s, d) and (n_t, d)
            Features of source and target.
        logits : tuple of Tensor of shape (n_s, c) and (n_t, c)
            Their logits.
        progress : float
            Fraction of the training already done.

        Returns
        -------
        dict of str to Tensor of shape ()
            The terms, weighted.
        """
        return {}


class BaseOneStreamClassifier(BaseHomogeneousClassifier, BaseNetClassifier):
    """Classify a target by a network that both domains go through.

    A sample is a row of features; or anything that ``module`` maps to features, such
    as an image. Images are arrays of shape (n, channels, height, width), as in
    PyTorch, or (n, height, width, channels) if the last axis has 1, 3 or 4 entries and
    the second has not. They stay on the device in the type they come in: a step makes
    numbers from 0 to 1 of images of type uint8. Or they are a map-style
    :class:`torch.utils.data.Dataset`, and are loaded when a step asks for them.

    A subclass says what is minimized (:meth:`_objective`) and, if the network has
    further parts, what to build around the feature extractor (:meth:`_classifier`).
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseNetClassifier._parameter_constraints,
        **BaseHomogeneousClassifier._parameter_constraints,
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "hidden_layer_sizes": ["array-like"],
        "normalize": ["boolean"],
        "module": [callable, None],
        "extractor_lr": [Interval(Real, 0, None, closed="left")],
        "train_transform": [callable, None],
        "eval_transform": [callable, None],
        "num_workers": [Interval(Integral, 0, None, closed="left")],
        "lambda0": [Interval(Real, 0, None, closed="left")],
    }
    n_components: int
    hidden_layer_sizes: Sequence[int]
    normalize: bool
    module: Callable[[], nn.Module] | None
    extractor_lr: float
    train_transform: Callable[[Any], Any] | None
    eval_transform: Callable[[Any], Any] | None
    num_workers: int

    def fit(
        self,
        X: SampleSet,
        y: ArrayLike | None = None,
        *,
        source: tuple[SampleSet, ArrayLike | None] | None = None,
    ) -> Self:
        """Fit to a target, unlabeled or labeled in part, and a labeled source.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_target, n_features), array-like of \
                shape (n_target, channels, height, width) or Dataset
            Target samples.
        y : array-like of shape (n_target,), default=None
            Target labels; -1, None, NaN or pandas.NA where unknown. None if all of
            them are; the labels that a Dataset has of its own are then not looked at.
        source : tuple (X_source, y_source), default=None
            Source samples like the target's, and their labels, of shape (n_source,);
            None for the labels of a Dataset. Without a source, the network is trained
            on the labeled target samples alone.

        Returns
        -------
        self : object
            Fitted estimator.
        """
        if isinstance(source, tuple) and len(source) == 2:
            X_source, y_source = source
            if y_source is None and isinstance(X_source, Dataset):
                source = X_source, labels_of(X_source)
        return super().fit(X, y, source=source)

    def score(
        self,
        X: SampleSet,
        y: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        *,
        domain: DomainName = "target",
    ) -> float:
        """Measure the accuracy of the predictions.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features), array-like \
                of shape (n_samples, channels, height, width) or Dataset
            Samples.
        y : array-like of shape (n_samples,), default=None
            True labels; a sample whose label is missing does not count. None for the
            labels of a Dataset.
        sample_weight : array-like of shape (n_samples,), default=None
            Sample weights. A pipeline with metadata routing insists on the name.
        domain : {"target", "source"}, default="target"
            Domain they come from.

        Returns
        -------
        float
            Fraction of labeled samples classified correctly.
        """
        labels: Any = labels_of(X) if y is None and isinstance(X, Dataset) else y
        return super().score(X, labels, sample_weight, domain=domain)  # type: ignore[arg-type]

    @property
    def _lr_multipliers(self) -> dict[str, float]:
        same = self.extractor_lr == 1
        return {} if same else {"extractor": self.extractor_lr}

    def _objective(self) -> Objective:
        return OneStreamObjective()

    def _classifier(self, **layout: Any) -> nn.Module:
        """Put the classifier on the feature extractor, and what else there is."""
        return OneStreamClassifier(**layout)

    def _module(self, sizes: Sizes) -> nn.Module:
        layout: dict[str, Any] = {"n_classes": sizes.n_classes}
        if self.module is None:
            layout["extractor"] = row_extractor(
                sizes.n_target_features,
                self.n_components,
                hidden_layer_sizes=self.hidden_layer_sizes,
                normalize=self.normalize,
            )
            return self._classifier(
                **layout, n_components=self.n_components, joint=True
            )
        built = None if isinstance(self.module, nn.Module) else self.module()
        if not isinstance(built, nn.Module):
            raise TypeError(
                f"Expected module to be a function without arguments that builds an "
                f"nn.Module, got {self.module!r}: pass a class, or functools.partial "
                f"of one."
            )
        layout["extractor"] = built
        width = width_after(layout["extractor"], self._sample_shape)
        return self._classifier(**layout, n_components=width)

    def _run(
        self, module: nn.Module, phases: list[Phase], domains: Domains, **loading: Any
    ) -> None:
        """Take the network through the phases, if its batches are large enough."""
        step_size = self._loader(domains, **loading).step_size
        sizes = [min(len(X), step_size) for X, *_ in domains.whole[:2] if len(X)]
        if min(sizes) < 2 and has_batch_norm(module):
            raise ValueError(
                f"Batch norm needs 2 samples of a domain in every step, got "
                f"{min(sizes)}: raise batch_size, add samples to the domain, or pass "
                f"a module without batch norm."
            )
        for phase in phases:
            phase.criterion.lr_multipliers = self._lr_multipliers
        super()._run(module, phases, domains, **loading)

    def _admit(self, X: Any, domain: DomainName, *, fitting: bool) -> Any:
        if isinstance(X, Dataset):
            rows: Any = self._admit_dataset(X)
        elif self.train_transform is not None or self.eval_transform is not None:
            raise ValueError(
                f"train_transform and eval_transform are for the samples of a torch "
                f"Dataset, got {type(X).__name__}: wrap it in a TensorDataset, or "
                f"transform it before."
            )
        elif getattr(X, "ndim", 2) > 2:
            rows = self._admit_images(X, domain, fitting=fitting)
        else:
            return super()._admit(X, domain, fitting=fitting)
        if fitting:
            owner: Any = self if domain == "target" else self._source_domain
            owner.n_features_in_ = prod(rows.shape[1:])
            vars(owner).pop("feature_names_in_", None)  # of an earlier fit
        return rows

    def _admit_images(self, X: Any, domain: DomainName, *, fitting: bool) -> Any:
        """Check arrays of samples that are no rows."""
        if self.module is None:
            raise ValueError(
                f"Found array with dim {X.ndim}, but {type(self).__name__} takes rows "
                f"of features, unless it is told how to make features of such samples: "
                f"pass module, a function that builds a network for it."
            )
        rows = transformed(getattr(self, f"{domain}_transformer_"), X, fitting=fitting)
        images = check_array(
            np.asarray(rows),
            dtype=[np.float32, np.uint8],
            ensure_2d=False,
            allow_nd=True,
            input_name=f"X_{domain}",
        )
        if images.ndim == 4 and _has_channels_last(images.shape):
            return np.ascontiguousarray(np.moveaxis(images, -1, 1))
        return images

    def _admit_dataset(self, dataset: Dataset[Any]) -> Samples:
        """Check a dataset, whose samples may be rows, too."""
        if not hasattr(dataset, "__len__") or not hasattr(dataset, "__getitem__"):
            raise TypeError(
                f"Expected a map-style Dataset, with a length and numbered samples, "
                f"got {type(dataset).__name__}."
            )
        samples = Samples(
            dataset, self.train_transform, self.eval_transform, self.num_workers
        )
        names = [f"{role}_transformer" for role in ("source", "target", "shared")]
        given = [name for name in names if getattr(self, name) is not None]
        if given:
            raise ValueError(
                f"{given[0]} takes arrays, and cannot transform the samples of a "
                f"Dataset: pass train_transform and eval_transform instead."
            )
        return samples

    def _settle(
        self, rows: dict[DomainName, Any], *, fitting: bool
    ) -> dict[DomainName, Any]:
        settled = super()._settle(rows, fitting=fitting)
        for some in settled.values():
            if fitting:
                self._sample_shape = tuple(some.shape[1:])
            elif some.shape[1:] != self._sample_shape:
                raise ValueError(
                    f"X has samples of shape {some.shape[1:]}, but "
                    f"{type(self).__name__} is expecting samples of shape "
                    f"{self._sample_shape}: resize them."
                )
        return settled


def _has_channels_last(shape: tuple[int, ...]) -> bool:
    few = 1, 3, 4
    return shape[-1] in few and shape[1] not in few
