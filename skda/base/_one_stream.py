"""Classifiers with one network for both domains, of rows or of images."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import nn
from torch.utils.data import Dataset

from skda.base._homogeneous import BaseHomogeneousClassifier
from skda.base._net_classifier import BaseNetClassifier, Sizes
from skda.base._one_stream_objective import OneStreamObjective
from skda.base._rows import DomainName
from skda.modules import (
    OneStreamClassifier,
    Standardization,
    has_batch_norm,
    row_extractor,
    width_after,
)
from skda.training import Domains, Objective, Phase, Samples, chunks, labels_of
from skda.training.mapped import MappedSamples, stays_in_its_file
from skda.utils.arrays import channels_first, to_numpy
from skda.utils.declaration import estimator
from skda.utils.many_rows import spread_out
from skda.utils.operations import check_array
from skda.utils.ranges import Auto, Count, LayerSizes, NonNegative, WholeNumber
from skda.utils.scaling import feature_moments, rescale_rows, suits_unit_rows
from skda.utils.seeding import FitRandomness
from skda.utils.validation import apply_transformer

__all__ = ["BaseOneStreamClassifier"]

SampleSet = ArrayLike | Dataset[Any]


@estimator
class BaseOneStreamClassifier(BaseHomogeneousClassifier, BaseNetClassifier):
    r"""Classify a target by a network that both domains go through.

    A sample is a row of features; or anything that ``module`` maps to features, such
    as an image. Images are arrays of shape (n, channels, height, width), as in
    PyTorch, or (n, height, width, channels) if the last axis has 1, 3 or 4 entries and
    neither of the two before has. They stay on the device in the type they come in: a
    step makes numbers from 0 to 1 of images of type uint8. Or they are a map-style
    :class:`torch.utils.data.Dataset`, and are loaded when a step asks for them, as are
    the rows of a memory-mapped array (:class:`numpy.memmap`) of more than 256 MiB.

    A subclass overrides :meth:`make_objective`, what to minimize, and, if the network
    has further parts, :meth:`make_classifier`.

    Parameters
    ----------
    lambda0
        Weight of what the method adds to the risks, at the end of the training.
    n_components
        Number of features that the network makes of a row.
    hidden_layer_sizes
        Widths of the layers before them.
    normalize : {"auto"} or bool
        Whether to scale every row to a mean square of one first. "auto" does, unless
        fewer than 16 features make up the length of a row, as in tables: it then
        standardizes the features instead, over both domains at once. With :math:`a_j`
        the mean absolute value of a feature, :math:`(\sum a_j)^2 / \sum a_j^2` of
        them make it up. Of a ``Dataset``, 10,000 rows at most are
        loaded once more for it.
    batch_norm
        Whether the layers of the network have a batch norm before their ReLU, over
        both domains at once in training.
    module
        Function without arguments that builds a feature extractor, from samples of any
        shape to vectors, instead of the network that these describe.
    extractor_lr
        Learning rate of the feature extractor, relative to ``lr``. For a ``module``,
        :meth:`published` takes a tenth, as the public codes do for a pretrained one.
    train_transform, eval_transform
        What to make of a sample of a ``Dataset`` in training, and otherwise.
    num_workers
        Processes that load the samples of a ``Dataset``.
    """

    lambda0: NonNegative = 1.0
    n_components: Count = 256
    hidden_layer_sizes: LayerSizes = ()
    normalize: bool | Auto = "auto"
    batch_norm: bool = False
    module: Callable[[], nn.Module] | None = None
    extractor_lr: NonNegative = 1.0
    train_transform: Callable[[Any], Any] | None = None
    eval_transform: Callable[[Any], Any] | None = None
    num_workers: WholeNumber = 0
    max_epochs = 40
    batch_size = 64
    lr = 0.01
    optimizer = "sgd"
    weight_decay = 0.001
    lr_schedule = "inverse"

    #: What :meth:`published` takes besides for a ``module``, a pretrained network.
    published_module_params: ClassVar[dict[str, Any]] = {"extractor_lr": 0.1}

    #: Means and scales of the features, if the network standardizes them.
    _moments: tuple[NDArray[Any], NDArray[Any]] | None = None

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

    def make_objective(self) -> Objective:
        return OneStreamObjective()

    def make_classifier(self, **layout: Any) -> nn.Module:
        """Build the network around the feature extractor.

        Parameters
        ----------
        **layout : dict
            ``extractor``, ``n_components``, ``n_classes`` and, for rows, ``joint``.

        Returns
        -------
        OneStreamClassifier
            Feature extractor, classifier and the further parts of the method.
        """
        return OneStreamClassifier(**layout)

    @classmethod
    def published(cls, **overrides: Any) -> Self:
        settings: dict[str, Any] = {"normalize": True}
        if overrides.get("module") is not None:
            settings |= cls.published_module_params
        return super().published(**(settings | overrides))

    def _normalizes(self) -> bool:
        """Say whether rows, or else features, are scaled before the network."""
        return bool(self.normalize) and self.module is None

    def make_module(self, sizes: Sizes) -> nn.Module:
        layout: dict[str, Any] = {"n_classes": sizes.n_classes}
        if self.module is None:
            layout["extractor"] = row_extractor(
                sizes.n_target_features,
                self.n_components,
                hidden_layer_sizes=self.hidden_layer_sizes,
                normalize=self._normalizes() and self._moments is None,
                batch_norm=self.batch_norm,
            )
            if self._moments is not None:
                layout["extractor"].insert(0, Standardization(*self._moments))
            return self.make_classifier(
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
        return self.make_classifier(**layout, n_components=width)

    def _run(
        self,
        module: nn.Module,
        phases: list[Phase],
        domains: Domains,
        randomness: FitRandomness,
        **loading: Any,
    ) -> None:
        """Take the network through the phases, if its batches are large enough."""
        step_size = self._loader(domains, **loading).step_size
        sizes = [min(len(X), step_size) for X, *_ in domains.whole[:2] if len(X)]
        if min(sizes) < 2 and has_batch_norm(module):
            raise ValueError(
                f"Batch norm needs 2 samples of a domain in every step, got "
                f"{min(sizes)}: raise batch_size, add samples to the domain, or do "
                f"without batch norm."
            )
        for phase in phases:
            phase.criterion.lr_multipliers = self._lr_multipliers
        super()._run(module, phases, domains, randomness, **loading)

    def _validate_rows(self, X: Any, domain: DomainName, *, fitting: bool) -> Any:
        if isinstance(X, Dataset):
            rows: Any = self._validate_dataset(X)
        elif self.train_transform is not None or self.eval_transform is not None:
            raise ValueError(
                f"train_transform and eval_transform are for the samples of a torch "
                f"Dataset, got {type(X).__name__}: wrap it in a TensorDataset, or "
                f"transform it before."
            )
        elif stays_in_its_file(X) and not self._has_transformer(domain):
            rows = MappedSamples(X, f"X_{domain}")
        elif getattr(X, "ndim", 2) > 2:
            rows = self._validate_images(X, domain, fitting=fitting)
        else:
            return super()._validate_rows(X, domain, fitting=fitting)
        if fitting:
            owner: Any = self if domain == "target" else self._source_domain
            owner.n_features_in_ = prod(rows.shape[1:])
            vars(owner).pop("feature_names_in_", None)  # of an earlier fit
        return rows

    def _validate_images(self, X: Any, domain: DomainName, *, fitting: bool) -> Any:
        """Check arrays of samples that are no rows."""
        if self.module is None:
            raise ValueError(
                f"Found array with dim {X.ndim}, but {type(self).__name__} takes rows "
                f"of features, unless it is told how to make features of such samples: "
                f"pass module, a function that builds a network for it."
            )
        rows = apply_transformer(
            getattr(self, f"{domain}_transformer_"), X, fitting=fitting
        )
        with np.errstate(over="ignore"):  # a value too large is an error, here
            images = check_array(
                to_numpy(rows),
                dtype=[np.float32, np.uint8],
                ensure_2d=False,
                allow_nd=True,
                input_name=f"X_{domain}",
            )
        return channels_first(images)

    def _validate_dataset(self, dataset: Dataset[Any]) -> Samples:
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

    def _preprocess(
        self, rows: dict[DomainName, Any], *, fitting: bool
    ) -> dict[DomainName, Any]:
        preprocessed = super()._preprocess(rows, fitting=fitting)
        if fitting:
            self._find_moments(list(preprocessed.values()))
        if self._normalizes() and self._moments is None:
            # The network normalizes.
            preprocessed = {name: _rescale(X) for name, X in preprocessed.items()}
        for X in preprocessed.values():
            if fitting:
                self._sample_shape = tuple(X.shape[1:])
            elif X.shape[1:] != self._sample_shape:
                raise ValueError(
                    f"X has samples of shape {X.shape[1:]}, but "
                    f"{type(self).__name__} is expecting samples of shape "
                    f"{self._sample_shape}: resize them."
                )
        return preprocessed

    def _find_moments(self, domains: list[Any]) -> None:
        """Find means and scales of the features, if it is these that are scaled."""
        if self.warm_start and hasattr(self, "net_"):
            return  # the network goes on as it is
        self._moments = None
        if self.normalize == "auto" and self._normalizes():
            # Of many rows that are not at hand, a part says as much.
            rows = np.concatenate([_load(X[_looked_at(X)]) for X in domains])
            if not suits_unit_rows(rows):
                self._moments = feature_moments(rows)


def _looked_at(X: Any) -> Any:
    """Name the rows that moments are taken of."""
    return spread_out(len(X)) if isinstance(X, Samples) else slice(None)


def _load(X: Any) -> NDArray[Any]:
    """Load all rows, if they are not at hand."""
    if not isinstance(X, Samples):
        return X
    return torch.cat(list(chunks(X, torch.device("cpu")))).numpy()


def _rescale(X: Any) -> Any:
    """Rescale rows, if they are at hand."""
    return X if isinstance(X, Samples) else rescale_rows(X)
