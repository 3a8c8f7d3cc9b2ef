"""The training of a network, whatever the estimator that has one."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from math import ceil, prod
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from skda.data import BatchLoader, Domains
from skda.net import LR_SCHEDULES, OPTIMIZERS, DomainNet, Phase, optimizer_params
from skda.utils._sklearn import Interval, Options, StrOptions
from skda.utils.threads import few_threads
from skda.utils.validation import check_precision

__all__ = ["NetTraining"]


class NetTraining:
    """Mixin of the estimators that train a network: the shared training parameters.

    Attributes
    ----------
    net_ : DomainNet
        The fitted skorch net.
    history_ : dict of str to ndarray of shape (`n_iter_`,)
        Epoch, phase and every term of the objective; NaN if a phase lacks the term.
    n_iter_ : int
        Number of epochs run.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "max_epochs": [Interval(Integral, 1, None, closed="left")],
        "max_steps": [Interval(Integral, 1, None, closed="left"), None],
        "batch_size": [
            Interval(Integral, 1, None, closed="left"),
            Options(Integral, {-1}),
        ],
        "lr": [Interval(Real, 0, None, closed="neither")],
        "optimizer": [StrOptions(set(OPTIMIZERS)), callable],
        "momentum": [Interval(Real, 0, 1, closed="left")],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
        "lr_schedule": [StrOptions(set(LR_SCHEDULES)), callable],
        "callbacks": [list, None],
        "device": [str, torch.device],
        "precision": [StrOptions({"float32", "bfloat16", "auto"})],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
        "warm_start": ["boolean"],
    }
    net_: DomainNet
    history_: dict[str, NDArray[Any]]
    n_iter_: int
    _task: Any
    max_epochs: int
    max_steps: int | None
    batch_size: int
    lr: float
    optimizer: str | Callable[..., Any]
    momentum: float
    weight_decay: float
    lr_schedule: str | Callable[[float], float]
    callbacks: list[Any] | None
    device: str | torch.device
    precision: str
    random_state: int | np.random.RandomState | None
    verbose: int
    warm_start: bool

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
        self, module: nn.Module, phases: list[Phase], domains: Domains, **loading: Any
    ) -> None:
        """Take a network through the phases, and keep it with its history."""
        first, *later = phases
        net = DomainNet(
            module,
            **first._asdict(),
            **self._settings(domains.device),
            batch_size=self._step_size(domains),
            **{f"iterator_train__{name}": value for name, value in loading.items()},
        )
        # Every place of an image meets the parameters of a convolution.
        n_rows = sum(len(X) * prod(X.shape[2:]) for X, *_ in domains.whole)
        n_steps = len(self._loader(domains, **loading))
        n_parameters = sum(parameter.numel() for parameter in module.parameters())
        with few_threads(n_rows / n_steps * n_parameters, domains.device):
            net.fit(domains)
            for phase in later:
                net.set_params(**phase._asdict()).partial_fit(domains)
        self.net_ = net
        self.history_ = net.columns()
        self.n_iter_ = len(net.history)

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
            "verbose": self.verbose,
        }
