"""The training of a network, whatever the estimator that has one."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from copy import deepcopy
from math import ceil, prod
from pathlib import Path
from typing import Annotated, Any, Literal

import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from skda.training.checkpoint import CheckpointFolder
from skda.training.data import BatchLoader, Domains
from skda.training.divergence import check_collapse, variation
from skda.training.held_out import check_callbacks
from skda.training.net import (
    LR_SCHEDULES,
    OPTIMIZERS,
    DomainNet,
    optimizer_params,
)
from skda.training.objective import Phase
from skda.training.recorder import Recorder, fingerprint, recording
from skda.training.together import TRAINER, Training
from skda.utils._sklearn import StrOptions
from skda.utils.declaration import estimator
from skda.utils.ranges import (
    BatchSize,
    Count,
    Fraction,
    NonNegative,
    Positive,
    RandomState,
    Verbosity,
)
from skda.utils.seeding import FitRandomness
from skda.utils.validation import check_precision

__all__ = ["NetTraining"]


@estimator
class NetTraining:
    """Mixin of the estimators that train a network: the shared training parameters.

    Parameters
    ----------
    max_epochs
        Passes over the larger of the two domains.
    max_steps
        Steps to take instead, rounded up to whole epochs.
    batch_size
        Most samples to draw from each domain at every step; -1 for all of them.
    lr
        Learning rate.
    optimizer : {"sgd", "adam", "adamw", "rmsprop"} or callable
        Optimizer; a callable brings its own momentum and weight decay.
    momentum
        Momentum of "sgd", which is Nesterov's, and of "rmsprop".
    weight_decay
        Weight decay of the optimizer.
    lr_schedule : {"constant", "cosine", "inverse"} or callable
        Factor of the learning rate; a callable maps the progress to it.
    callbacks : list of skorch callbacks
        Copied, then called during training; ``net_.callbacks_`` has the copies.
    device : str or torch.device
        Where to train and predict; "auto" is CUDA where there is one.
    precision : {"float32", "bfloat16", "auto"}
        Precision of the layers in training; "auto" is bfloat16 where the device
        computes in it.
    random_state : int, RandomState instance or None
        Seed of the initial weights and of the batches.
    verbose
        Whether to show a progress bar with every loss term.
    warm_start
        Whether to go on with the network of the last fit.
    checkpoint : str or Path
        Folder for the state of the training, from which the same fit goes on after an
        interruption, and ends with the same network to the bit.
    compile
        Whether to compile the steps, on CUDA as graphs. It pays where many steps of a
        small network are taken, and changes results by rounding.

    Attributes
    ----------
    net_ : DomainNet
        The fitted skorch net.
    history_ : dict of str to ndarray of shape (`n_iter_`,)
        Epoch, phase and every term of the objective; NaN if a phase lacks the term.
    n_iter_ : int
        Number of epochs run.
    stopped_early_ : bool
        Whether a callback ended the training, or a phase of it.
    """

    max_epochs: Count = 100
    max_steps: Count | None = None
    batch_size: BatchSize = -1
    lr: Positive = 0.001
    optimizer: Annotated[
        str | Callable[..., Any], StrOptions(set(OPTIMIZERS)), callable
    ] = "adam"
    momentum: Fraction = 0.9
    weight_decay: NonNegative = 0.0
    lr_schedule: Annotated[
        str | Callable[[float], float], StrOptions(set(LR_SCHEDULES)), callable
    ] = "constant"
    callbacks: list[Any] | None = None
    device: str | torch.device = "auto"
    precision: Literal["float32", "bfloat16", "auto"] = "float32"
    random_state: RandomState = None
    verbose: Verbosity = 0
    warm_start: bool = False
    checkpoint: str | Path | None = None
    compile: bool = False

    def _randomness(self, device: torch.device) -> FitRandomness:
        """Draw the seed of a fit, or take that of the fit to go on from."""
        randomness = FitRandomness(self.random_state, device)
        if self.checkpoint is not None and self.random_state is None:
            found = CheckpointFolder(self.checkpoint).read(device)
            if found is not None:
                randomness.seed = found["seed"]
        return randomness

    def _loader(self, domains: Domains, **loading: Any) -> BatchLoader:
        """Cut the epochs of a training into steps."""
        return BatchLoader(domains, self._step_size(domains), **loading)

    def _step_size(self, domains: Domains) -> int:
        """Say how many rows of each part a step may take."""
        return len(domains) if self.batch_size == -1 else self.batch_size

    def _n_epochs(self, loader: BatchLoader) -> int:
        """Count the epochs, as many as the steps asked for take."""
        if self.max_steps is None:
            return self.max_epochs
        return ceil(self.max_steps / len(loader))

    def _network(self, task: Any, build: Callable[[], nn.Module]) -> nn.Module:
        """Build a network, or go on with the one of the last fit.

        What ``task`` says of the data must then be what it was.
        """
        if not (self.warm_start and hasattr(self, "net_")):
            self._task = task
            return build()
        if task != self._task:
            raise ValueError(
                f"warm_start goes on with the features and classes of the last fit, "
                f"{self._task}, got {task}."
            )
        return self.net_.module_

    def _run(
        self,
        module: nn.Module,
        phases: list[Phase],
        domains: Domains,
        randomness: FitRandomness,
        **loading: Any,
    ) -> None:
        """Take a network through the phases, and keep it with its history."""
        check_callbacks(self.callbacks, held_out=domains.held_out is not None)
        net = DomainNet(
            module,
            **phases[0]._asdict(),
            **self._settings(domains.device),
            batch_size=self._step_size(domains),
            **{f"iterator_train__{name}": value for name, value in loading.items()},
        )
        # Every place of an image meets the parameters of a convolution.
        n_rows = sum(len(X) * prod(X.shape[2:]) for X, *_ in domains.whole)
        n_steps = len(self._loader(domains, **loading))
        n_parameters = sum(parameter.numel() for parameter in module.parameters())
        before = self._variation(module, domains)
        n_products = n_rows / n_steps * n_parameters
        with self._recording(module, phases, domains, randomness) as recorder:
            training = Training(net, phases, domains, randomness, n_products, recorder)
            TRAINER.get()(training)
        after = self._variation(net.module_, domains)
        check_collapse(before, after, net.losses_of_phase(), self.lr)
        self.net_: DomainNet = net
        self.history_: dict[str, NDArray[Any]] = net.columns()
        self.n_iter_: int = len(net.history)
        self.stopped_early_: bool = net.stopped_early_

    def _recording(
        self,
        module: nn.Module,
        phases: list[Phase],
        domains: Domains,
        randomness: FitRandomness,
    ) -> AbstractContextManager[Recorder | None]:
        """Record the training in the folder for checkpoints, if there is one."""
        if self.checkpoint is None:
            return nullcontext()
        if self.warm_start and hasattr(self, "net_"):
            raise ValueError(
                "warm_start goes on with the network of the last fit, and checkpoint "
                "with the state of this one: set one of them."
            )
        identity = fingerprint(self, module, phases, domains)
        return recording(self.checkpoint, identity, randomness, domains.device)

    def _variation(self, module: nn.Module, domains: Domains) -> dict[str, float]:
        """Measure how far a network's outputs vary between some samples, by input."""
        device = next((p.device for p in module.parameters()), domains.device)
        was_training = module.training
        module.eval()
        with torch.no_grad():
            outputs = self._sample_outputs(module, domains, device)
        module.train(was_training)
        return {name: variation(rows) for name, rows in outputs.items()}

    def _sample_outputs(
        self, module: Any, domains: Domains, device: torch.device
    ) -> dict[str, Tensor]:
        """Map samples that should differ to outputs of shape (n, d), by input."""
        return {}

    def _settings(self, device: torch.device) -> dict[str, Any]:
        """Spell the training parameters in skorch's."""
        schedule = self.lr_schedule
        return optimizer_params(self.optimizer, self.momentum, self.weight_decay) | {
            "lr": self.lr,
            "lr_schedule": (
                LR_SCHEDULES[schedule] if isinstance(schedule, str) else schedule
            ),
            "callbacks": deepcopy(self.callbacks),
            "device": device,
            "autocast": check_precision(self.precision, device),
            "compiled_step": self.compile,
            "verbose": self.verbose,
        }
