"""Classifiers that train a network."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import prod
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import Tags
from torch import Tensor, nn

from skda.base._classifier import BaseDomainClassifier
from skda.base._held_out import hold_out
from skda.base._paired import PairedRows
from skda.base._rotation import restore_inputs, rotate_inputs
from skda.base._rows import DomainName, Rows
from skda.losses import cross_entropy, squared_norm
from skda.training import (
    Batch,
    Domain,
    Domains,
    HeldOutRows,
    NetTraining,
    Objective,
    Pairs,
    Phase,
    Samples,
)
from skda.utils._sklearn import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from skda.utils.declaration import estimator
from skda.utils.ranges import ProperFraction
from skda.utils.seeding import FitRandomness
from skda.utils.validation import as_tensor, check_device

__all__ = ["BaseNetClassifier", "Sizes", "TargetRisk"]

PhaseExtension = Callable[[Any, list[Phase], Domains], list[Phase]]


class Sizes(NamedTuple):
    """What a network must know about the data.

    Parameters
    ----------
    n_source_features, n_target_features : int
        Widths of the two feature spaces; 0 for the source if there is none.
    n_classes : int
        Number of classes, over both domains.
    """

    n_source_features: int
    n_target_features: int
    n_classes: int

    @property
    def widths(self) -> dict[str, int]:
        """Width of every domain that is there."""
        widths = {"source": self.n_source_features, "target": self.n_target_features}
        return {domain: width for domain, width in widths.items() if width}


class TargetRisk(Objective):
    """What remains of any method without a source: the risk of the labeled target.

    Parameters
    ----------
    tau : float, default=0.0
        Weight of half the squared norm of the weight matrices.
    """

    def __init__(self, tau: float = 0.0) -> None:
        super().__init__()
        self.tau = tau

    def forward(self, module: Any, batch: Batch, progress: float) -> dict[str, Tensor]:
        """Evaluate the cross-entropy of the target and the decay of the weights.

        Parameters
        ----------
        module : nn.Module
            Network from samples to logits.
        batch : Batch
            What the step sees.
        progress : float
            Fraction of the training already done.

        Returns
        -------
        dict of str to Tensor of shape ()
            The terms, weighted.
        """
        logits = module(batch.target.X)
        terms = {"target_risk": cross_entropy(logits, batch.target.labels)}
        if self.tau:
            terms["decay"] = self.tau / 2 * squared_norm(module)
        return terms


@estimator
class BaseNetClassifier(
    NetTraining,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    BaseDomainClassifier,
):
    """Classify a target domain by a network that both domains train.

    A subclass declares its hyper-parameters and overrides :meth:`make_module`, what to
    train, and :meth:`make_objective`, what to minimize. Everything else is here.

    Parameters
    ----------
    validation_fraction : float
        Fraction of the labeled target rows of every class, or of the source's if no
        target row is labeled, on which ``history_`` has "valid_loss" and "valid_acc"
        after every epoch, for callbacks that watch them. The training does not see
        their labels.
    """

    validation_fraction: ProperFraction | None = None

    _dtype: ClassVar[type] = np.float32
    __metadata_request__transform: ClassVar[dict[str, bool]] = {"domain": True}

    @abstractmethod
    def make_module(self, sizes: Sizes) -> nn.Module:
        """Build the network.

        Parameters
        ----------
        sizes : Sizes
            Numbers of features and classes.

        Returns
        -------
        nn.Module
            Its ``encode(X, domain)`` maps rows of shape (n, p) into the common space,
            of shape (n, d); its ``forward(X, domain="target")`` maps them to logits, of
            shape (n, n_classes).
        """

    @abstractmethod
    def make_objective(self) -> Objective:
        """Build what the network minimizes.

        Returns
        -------
        Objective
            Module that maps network, batch and progress to weighted terms.
        """

    def make_target_objective(self) -> Objective:
        """Build what the network minimizes if there is no source.

        Returns
        -------
        Objective
            :class:`TargetRisk`, unless the method has a target-only form.
        """
        return TargetRisk()

    def make_phases(self, max_epochs: int) -> list[Phase]:
        """List the phases of the training.

        Parameters
        ----------
        max_epochs : int
            Length of the training, as the hyper-parameters ask for it.

        Returns
        -------
        list of Phase
            One with :meth:`make_objective`, unless the method has several.
        """
        return [Phase(self.make_objective(), max_epochs)]

    def set_fitted_attributes(self, source: Rows, target: Rows) -> None:
        """Set the fitted attributes that the method has of its own.

        Parameters
        ----------
        source, target : Rows
            The domains, as :meth:`fit_rows` saw them.
        """

    @contextmanager
    def extended(self, extend: PhaseExtension) -> Iterator[None]:
        """Add to the objectives of the fits inside the block.

        A plug-in trains its backbone in such a block. A fit without a source has
        nothing to extend.

        Parameters
        ----------
        extend : callable
            Maps the network, the phases of the training and the :class:`Domains` to
            the phases to run instead.

        Yields
        ------
        None
            The estimator is what it was after the block.
        """
        self._extension = extend
        try:
            yield
        finally:
            vars(self).pop("_extension", None)  # a failed fit has removed it

    def _extend_phases(
        self, module: Any, phases: list[Phase], domains: Domains
    ) -> list[Phase]:
        """Extend the phases of a fit inside :meth:`extended`."""
        extend: PhaseExtension | None = vars(self).get("_extension")
        return phases if extend is None else extend(module, phases, domains)

    def _rotates(self) -> bool:
        """Say whether to train wide first layers in the row space of their samples.

        It needs the ``encoders`` of a :class:`skda.modules.TwoStreamClassifier`, and
        is exact for the optimizer "sgd" alone.
        """
        return False

    def _source_per_class(self) -> int | None:
        """Say how many source rows of a class a step draws; None takes them all."""
        return None

    def transform(
        self, X: ArrayLike, *, domain: DomainName = "target"
    ) -> NDArray[np.float32]:
        """Map samples into the space that the domains share.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Samples.
        domain : {"target", "source"}, default="target"
            Domain they come from.

        Returns
        -------
        ndarray of shape (n_samples, n_components)
            Latent features.
        """
        return self.transform_rows(self._check_samples(X, domain), domain)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    def fit_rows(self, source: Rows, target: Rows) -> None:
        self._fit_net(source, target)

    def _fit_net(
        self, source: Rows, target: Rows, pairs: PairedRows | None = None
    ) -> None:
        """Train the network, and describe the training."""
        device = check_device(self.device)
        alone = len(source.X) == 0
        if alone and isinstance(self.make_target_objective(), TargetRisk):
            target = target.labeled()  # no other row has a loss
        randomness = self._randomness(device)
        held_out = None
        if self.validation_fraction is not None:
            rows: dict[DomainName, Rows] = {"source": source, "target": target}
            rows, part, name = hold_out(rows, self.validation_fraction, randomness.seed)
            source, target = rows["source"], rows["target"]
            X, labels, _ = self._domain_to_device(part, device)
            held_out = HeldOutRows(X, labels, name)
        domains = Domains(self._to_device(source, target, device, pairs), held_out)
        self._train(domains, randomness)
        self.set_fitted_attributes(source, target)
        self._n_features_out = self.transform_rows(target.X[:1], "target").shape[1]

    def _outputs(self, rows: Rows, domain: DomainName) -> tuple[Tensor, Tensor, Tensor]:
        """Map rows to what an objective sees: features, logits and labels."""
        features = torch.from_numpy(self.transform_rows(rows.X, domain))
        logits = self.net_.evaluate(lambda X: self.net_.module_(X, domain), rows.X)
        memberships = rows.labels.memberships(self.classes_)
        return features, torch.from_numpy(logits), torch.from_numpy(memberships)

    def _to_device(
        self,
        source: Rows,
        target: Rows,
        device: torch.device,
        pairs: PairedRows | None = None,
    ) -> Batch:
        """Move everything to the device, once."""
        domains = (
            self._domain_to_device(source, device),
            self._domain_to_device(target, device),
        )
        sides = [part.X[:0] for part in domains]
        if pairs is not None:
            sides = [as_tensor(side, device) for side in pairs[:2]]
        return Batch(*domains, pairs=Pairs(*sides))

    def _domain_to_device(self, rows: Rows, device: torch.device) -> Domain:
        X = rows.X if isinstance(rows.X, Samples) else as_tensor(rows.X, device)
        labels = rows.labels.memberships(self.classes_), np.arange(len(rows.X))
        return Domain(X, *(as_tensor(array, device) for array in labels))

    def _train(self, domains: Domains, randomness: FitRandomness) -> None:
        """Build the network and take it through the phases."""
        seed = randomness.seed
        loading = {"seed": seed, "source_per_class": self._source_per_class()}
        loader = self._loader(domains, **loading)
        max_epochs = self._n_epochs(loader)
        with randomness.of_default_generators():
            module, phases = self._build(domains, max_epochs)
        rotates = self._rotates() and domains.held_out is None
        if rotates:
            domains = rotate_inputs(module.encoders, loader, max_epochs)
        self._run(module, phases, domains, randomness, **loading)
        if rotates:
            restore_inputs(self.net_.module_.encoders)

    def _build(self, domains: Domains, max_epochs: int) -> tuple[Any, list[Phase]]:
        """Build the network, and what the phases of the training minimize."""
        source, target, _ = domains.whole
        alone = len(source.X) == 0
        phases = (
            [Phase(self.make_target_objective(), max_epochs)]
            if alone
            else self.make_phases(max_epochs)
        )
        n_source_features = 0 if alone else prod(source.X.shape[1:])
        n_features = prod(target.X.shape[1:])
        sizes = Sizes(n_source_features, n_features, len(self.classes_))
        task = sizes, self.classes_.tolist()
        module = self._network(task, lambda: self.make_module(sizes))
        if not alone:
            phases = self._extend_phases(module, phases, domains)
        return module, phases

    def _sample_outputs(
        self, module: Any, domains: Domains, device: torch.device
    ) -> dict[str, Tensor]:
        parts = {n: domains.first_of_each_class(n) for n in ("source", "target")}
        return {
            name: module(rows.to(device), name).softmax(dim=1)
            for name, rows in parts.items()
            if len(rows)
        }

    def transform_rows(
        self, X: NDArray[Any], domain: DomainName
    ) -> NDArray[np.float32]:
        """Map validated and preprocessed samples into the space of the domains.

        Parameters
        ----------
        X : ndarray of shape (n, p)
            Samples.
        domain : {"target", "source"}
            Domain they come from.

        Returns
        -------
        ndarray of shape (n, d)
            Latent features.
        """
        module = self.net_.module_
        return self.net_.evaluate(lambda rows: module.encode(rows, domain), X)

    def predict_proba_rows(
        self, X: NDArray[Any], domain: DomainName
    ) -> NDArray[np.floating]:
        module = self.net_.module_
        return self.net_.evaluate(lambda rows: module(rows, domain).softmax(dim=1), X)
