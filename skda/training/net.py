"""The training loop: a skorch net that minimizes a sum of named loss terms."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, nullcontext
from copy import deepcopy
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from skorch import NeuralNet
from skorch.callbacks import Callback
from skorch.utils import TeeGenerator
from torch import Tensor, nn
from tqdm.auto import tqdm

from skda.training.compiled import CompiledObjective
from skda.training.data import Batch, BatchLoader, Domains, Samples, chunks
from skda.training.divergence import (
    DivergenceCheck,
    check_losses,
    check_parameters,
    refuse_singular,
)
from skda.training.held_out import HeldOut, validation_scores
from skda.training.objective import Objective, check_terms
from skda.training.plain_state import PlainState
from skda.training.recorder import EpochSoFar, Recorder
from skda.training.schedules import cosine, inverse_decay
from skda.utils.interrupts import watch_interrupts
from skda.utils.seeding import FitRandomness
from skda.utils.validation import as_tensor

__all__ = [
    "LR_SCHEDULES",
    "OPTIMIZERS",
    "DomainNet",
    "StopTraining",
    "TermsBar",
    "optimizer_params",
]

OPTIMIZERS = {
    "sgd": torch.optim.SGD,
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "rmsprop": torch.optim.RMSprop,
}
LR_SCHEDULES = {"constant": None, "cosine": cosine, "inverse": inverse_decay}


class StopTraining(Exception):  # noqa: N818 (as StopIteration)
    """Raised by a callback to end a fit on purpose, with what has been learned.

    Examples
    --------
    >>> import skda
    >>> from skorch.callbacks import Callback
    >>> class EnoughEpochs(Callback):
    ...     def on_epoch_end(self, net, **kwargs):
    ...         if len(net.history) == 3:
    ...             raise skda.StopTraining
    >>> from skda.baselines import TargetNet
    >>> net = TargetNet(callbacks=[EnoughEpochs()], random_state=0)
    >>> net.fit([[0.0], [1.0]], [0, 1]).n_iter_, net.stopped_early_
    (3, True)
    """


class _StopPhase(StopTraining):
    """Raised for a callback that ends the current phase of a training."""


def optimizer_params(
    optimizer: str | Callable[..., Any], momentum: float, weight_decay: float
) -> dict[str, Any]:
    """Spell an optimizer in skorch's parameters; a callable brings its own."""
    if not isinstance(optimizer, str):
        return {"optimizer": optimizer}
    params = {
        "optimizer": OPTIMIZERS[optimizer],
        "optimizer__weight_decay": weight_decay,
    }
    if optimizer in ("sgd", "rmsprop"):
        params["optimizer__momentum"] = momentum
    if optimizer == "sgd":  # Nesterov's, as in the public code of the methods here
        params["optimizer__nesterov"] = momentum > 0
        params["optimizer__fused"] = True  # one kernel for all of a parameter's update
    return params


class TermsBar(Callback):
    """Progress bar over the epochs of a phase, with the terms of the last one."""

    def on_train_begin(self, net: NeuralNet, **kwargs: Any) -> None:
        """Open the bar of a phase."""
        self.bar = tqdm(total=net.max_epochs, desc=net.phase, unit="epoch")

    def on_epoch_end(self, net: NeuralNet, **kwargs: Any) -> None:
        """Show the terms."""
        terms = {
            name: value
            for name, value in net.history[-1].items()
            if isinstance(value, float) and name != "dur"
        }
        self.bar.set_postfix(terms, refresh=False)
        self.bar.update()

    def on_train_end(self, net: NeuralNet, **kwargs: Any) -> None:
        """Close the bar."""
        self.bar.close()


class DomainNet(PlainState):
    """Minimize ``sum(criterion(module, batch, progress).values())``.

    skorch scores one prediction against one label. Adaptation scores two domains
    against each other, so the criterion receives the module and the whole batch.
    Each term appears in ``history`` under its own name, their sum as ``train_loss``.
    The net trains copies: what its constructor is given stays as it was.

    Parameters
    ----------
    module : nn.Module
        Network to train.
    criterion : Objective
        What to minimize.
    phase : str, default="train"
        Name of the current phase in the history.
    lr_schedule : callable, default=None
        Maps the progress to a factor of every learning rate.
    autocast : torch.dtype or None, default=None
        Lower precision in which to evaluate the criterion.
    compiled_step : bool, default=False
        Whether to compile the evaluation of the criterion.
    **kwargs : dict
        Passed to :class:`skorch.NeuralNet`.
    """

    def __init__(
        self,
        module: nn.Module,
        *,
        criterion: Objective,
        phase: str = "train",
        lr_schedule: Callable[[float], float] | None = None,
        autocast: torch.dtype | None = None,
        compiled_step: bool = False,
        **kwargs: Any,
    ) -> None:
        self.phase = phase
        self.lr_schedule = lr_schedule
        self.autocast = autocast
        self.compiled_step = compiled_step
        kwargs.setdefault("iterator_train", BatchLoader)
        kwargs.setdefault("train_split", None)
        super().__init__(module, criterion=criterion, **kwargs)

    @torch.inference_mode()
    def evaluate(
        self, function: Callable[[Tensor], Tensor], X: Tensor | NDArray[Any] | Samples
    ) -> NDArray[Any]:
        """Map rows through a function of the module, a few thousand at a time."""
        self._set_training(False)
        device = torch.device(self.device)
        rows = as_tensor(X, device) if isinstance(X, np.ndarray) else X
        parts = [function(chunk) for chunk in chunks(rows, device)]
        return torch.cat(parts).cpu().numpy()

    def columns(self) -> dict[str, NDArray[Any]]:
        """Turn the history into columns, NaN where an epoch lacks an entry."""
        names = dict.fromkeys(name for row in self.history for name in row)
        for name in [*names]:
            if name == "batches" or name.endswith(("_batch_count", "_best")):
                names.pop(name)
        columns = {"phase": np.array(self._phase_of_epoch)}
        for name in names:
            columns[name] = np.array([row.get(name, np.nan) for row in self.history])
        return columns

    def losses_of_phase(self) -> list[float]:
        """List the training losses of the epochs of the last phase."""
        rows = self.history[self._first_epoch :]
        return [row["train_loss"] for row in rows if "train_loss" in row]

    def initialized_instance(
        self, instance_or_cls: Any, kwargs: dict[str, Any]
    ) -> nn.Module:
        """Copy what was given, so that training cannot change it."""
        return deepcopy(super().initialized_instance(instance_or_cls, kwargs))

    def get_params_for(self, prefix: str) -> dict[str, Any]:
        """Turn the multipliers of the objective into skorch's parameter groups."""
        params = super().get_params_for(prefix)
        if prefix == "optimizer" and self.criterion_.lr_multipliers:
            params["param_groups"] = [
                (f"{name}*", {"lr": multiplier * self.lr})
                for name, multiplier in self.criterion_.lr_multipliers.items()
            ]
        return params

    #: Whether a training is on that the user has interrupted.
    _user_interrupted: Callable[[], bool] = staticmethod(bool)

    #: What keeps the state of the training that is on, if anything does.
    _recorder: Recorder | None = None
    #: What evaluates the criterion in a training, if it is compiled.
    _compiled: CompiledObjective | None = None

    def initialize(self) -> Self:
        """Forget the last training, too."""
        self.stopped_early_ = self.fit_is_over_ = False
        # No entry of skorch's history, whose readers expect numbers.
        self._phase_of_epoch: list[str] = []
        return super().initialize()

    def partial_fit(
        self,
        X: Domains,
        y: None = None,
        classes: None = None,
        *,
        randomness: FitRandomness | None = None,
        recorder: Recorder | None = None,
        **fit_params: Any,
    ) -> Self:
        """Train for a phase; unlike skorch, let the user interrupt it.

        A callback ends the phase by ``KeyboardInterrupt``, as skorch's own do, and the
        whole fit by :class:`StopTraining`.

        Parameters
        ----------
        X : Domains
            The data.
        y, classes : None
            Ignored; skorch passes them.
        randomness : FitRandomness, default=None
            Source of the random numbers of the training; None is PyTorch's generators.
        recorder : Recorder, default=None
            Where to keep the state of the training, and what to go on from.
        **fit_params : dict
            Passed to the loop of skorch.

        Returns
        -------
        DomainNet
            The net.
        """
        if not self.initialized_:
            self.initialize()
        foreign = any(isinstance(part[0], Samples) for part in X.whole)
        with ExitStack() as stack:
            if randomness is not None:
                modules = self.module_, self.criterion_
                stack.enter_context(randomness.of_training(modules, foreign=foreign))
            if self.compiled_step:
                device = torch.device(self.device)
                self._compiled = CompiledObjective(
                    self.criterion_, self.module_, device
                )
                stack.callback(delattr, self, "_compiled")
            self._user_interrupted = stack.enter_context(watch_interrupts())
            stack.callback(delattr, self, "_user_interrupted")
            try:
                self.notify("on_train_begin", X=X, y=y)
                if recorder is not None:
                    self._recorder = recorder
                    stack.callback(delattr, self, "_recorder")
                    recorder.restore(self)
                    fit_params = {"epochs": self._n_epochs_left(), **fit_params}
                self.fit_loop(X, y, **fit_params)
            except StopTraining as stop:
                self.stopped_early_ = True
                self.fit_is_over_ = not isinstance(stop, _StopPhase)
            self.notify("on_train_end", X=X, y=y)
        return self

    def notify(self, method_name: str, **cb_kwargs: Any) -> None:
        """Call the hooks, and tell a stop on purpose from the user's interrupt."""
        recorder = self._recorder
        if recorder is not None and recorder.is_inside_epoch:
            return  # the epoch has begun before the interruption
        try:
            super().notify(method_name, **cb_kwargs)
        except KeyboardInterrupt as stop:
            if self._user_interrupted():
                raise
            raise _StopPhase from stop

    @torch.no_grad()
    def on_train_begin(self, net: NeuralNet, X: Domains, **kwargs: Any) -> None:
        """Open a phase."""
        self._first_epoch = len(self.history)
        self._least: dict[str, float] = {}
        self._unread: list[tuple[dict[str, Any], tuple[str, ...], Tensor]] = []
        self._divergence = DivergenceCheck(self.lr)
        self.criterion_.start_fit(self.module_, X.whole)

    @torch.no_grad()
    def on_epoch_begin(
        self, net: NeuralNet, dataset_train: Domains, **kwargs: Any
    ) -> None:
        """Open a row of the history."""
        super().on_epoch_begin(net, dataset_train, **kwargs)
        self._phase_of_epoch.append(self.phase)
        progress = (len(self.history) - 1 - self._first_epoch) / self.max_epochs
        self.criterion_.start_epoch(self.module_, dataset_train.whole, progress)

    def run_single_epoch(
        self,
        iterator: Any,
        training: bool,
        prefix: str,
        step_fn: Callable[..., dict[str, Any]],
        **fit_params: Any,
    ) -> None:
        """Take the steps of one epoch and keep the mean of every term."""
        if iterator is None:
            return
        if not training:
            self._validate(iterator)
            return
        if not self.module_.training:
            self._set_training(True)
        n_steps = len(iterator)
        epoch = len(self.history) - 1 - self._first_epoch
        recorder = self._recorder
        so_far = EpochSoFar(iter(iterator), (), [])
        if recorder is not None:
            so_far = recorder.start_epoch(iterator)
        batches, names, values = so_far
        for i, batch in enumerate(batches, start=len(values)):
            progress = (epoch * n_steps + i) / (self.max_epochs * n_steps)
            self.notify("on_batch_begin", batch=batch, training=True)
            step = step_fn(batch, progress=progress)
            self.notify("on_batch_end", batch=batch, training=True, **step)
            names = step["names"]
            values.append(step["values"])
            if recorder is not None:
                recorder.end_step(self, names, values)
        self.history.record("train_batch_count", n_steps)
        mean = torch.stack(values).mean(dim=0)  # (n_terms,)
        self._unread.append((self.history[-1], names, mean))

    def progress(self) -> dict[str, Any]:
        """Say how far the training is, once all terms are in the history.

        Returns
        -------
        dict of str to object
            What :meth:`restore_progress` takes, beside the history.
        """
        self._read_terms()
        return {
            "first_epoch": self._first_epoch,
            "phase_of_epoch": self._phase_of_epoch,
            "stopped_early": self.stopped_early_,
            "fit_is_over": self.fit_is_over_,
        }

    def restore_progress(self, progress: dict[str, Any]) -> None:
        """Go on as far as another training was.

        Parameters
        ----------
        progress : dict of str to object
            What :meth:`progress` returned.
        """
        self._first_epoch = progress["first_epoch"]
        self._phase_of_epoch = progress["phase_of_epoch"]
        self.stopped_early_ = progress["stopped_early"]
        self.fit_is_over_ = progress["fit_is_over"]

    def _n_epochs_left(self) -> int:
        """Count the epochs of the phase, with the one that was interrupted."""
        recorder = self._recorder
        n_begun = len(self.history) - self._first_epoch
        is_inside = recorder is not None and recorder.is_inside_epoch
        left: int = self.max_epochs - n_begun + is_inside
        return left

    def get_split_datasets(
        self, X: Domains, y: None = None, **fit_params: Any
    ) -> tuple[Domains, HeldOut | None]:
        """Tell the rows to train on from those held out."""
        return X, None if X.held_out is None else HeldOut(X.held_out)

    def get_iterator(self, dataset: Any, training: bool = False) -> Any:
        """Draw batches of the domains; take held-out rows in their order."""
        if isinstance(dataset, HeldOut):
            self._valid_domain = dataset.rows.domain
            return dataset
        return super().get_iterator(dataset, training)

    @torch.no_grad()
    def _validate(self, dataset: HeldOut) -> None:
        """Score the held-out rows at the end of an epoch."""
        self._set_training(False)
        logits, codes = [], []
        for batch in dataset.batches():
            self.notify("on_batch_begin", batch=batch, training=False)
            logits.append(self.module_(batch[0], self._valid_domain))
            codes.append(batch[1])
            self.notify("on_batch_end", batch=batch, training=False, y_pred=logits[-1])
        self.history.record("valid_batch_count", len(logits))
        for name, value in validation_scores(logits, codes).items():
            self._record(self.history[-1], name, value)

    def _record(self, row: dict[str, Any], name: str, value: float) -> None:
        """Keep a score, and whether a loss is the best of the training so far."""
        if name.endswith("_loss"):
            if name not in self._least:
                before = (earlier[name] for earlier in self.history if name in earlier)
                self._least[name] = min(before, default=math.inf)
            row[f"{name}_best"] = value < self._least[name]
            self._least[name] = min(value, self._least[name])
        row[name] = value

    def predict(self, X: Any) -> NDArray[np.int64]:
        """Predict positions of classes, for scorers among the callbacks."""
        return self.predict_proba(X).argmax(axis=1)

    def train_step(self, batch: Batch, *, progress: float) -> dict[str, Any]:
        """Evaluate the objective on one batch and descend its gradient."""
        self._set_lr(progress)
        self.optimizer_.zero_grad()
        with self._precision(), refuse_singular(self.lr):
            terms = self._evaluate_terms(batch, progress)
        check_terms(terms, self.criterion_)
        values = torch.stack(tuple(terms.values()))  # (n_terms,)
        loss = values.sum()
        loss.backward()
        parameters = TeeGenerator(self.get_all_learnable_params())
        self.notify(
            "on_grad_computed", named_parameters=parameters, batch=batch, training=True
        )
        self.optimizer_.step()
        with torch.no_grad():
            self.criterion_.end_step(self.module_, batch)
        return {
            "loss": loss,
            "y_pred": None,
            "names": tuple(terms),
            "values": values.detach(),
        }

    def on_epoch_end(self, net: NeuralNet, **kwargs: Any) -> None:
        """Read the terms now if somebody may look at them now."""
        _, names, means = self._unread[-1]
        self._divergence.watch(names, means)
        if self.callbacks_:
            self._read_terms()

    def on_train_end(self, net: NeuralNet, **kwargs: Any) -> None:
        """Read what has not been read yet, and check that it is finite."""
        self._read_terms()
        check_parameters(self.module_, self.lr)
        self._divergence = DivergenceCheck(self.lr)  # a pending copy has no pickle

    def _read_terms(self) -> None:
        """Bring the unread terms from the device into the history, in one go."""
        if not self._unread:
            return
        rows, names, means = zip(*self._unread, strict=True)
        values = torch.stack(means).tolist()
        for row, row_names, row_values in zip(rows, names, values, strict=True):
            check_losses(row_names, row_values, self.lr)
            row.update(zip(row_names, row_values, strict=True))
            self._record(row, "train_loss", sum(row_values))
        self._unread.clear()

    def _evaluate_terms(self, batch: Batch, progress: float) -> dict[str, Tensor]:
        if self._compiled is not None:
            return self._compiled(batch, progress)
        terms: dict[str, Tensor] = self.criterion_(self.module_, batch, progress)
        return terms

    def _set_lr(self, progress: float) -> None:
        if self.lr_schedule is None:
            return
        factor = self.lr_schedule(progress)
        for group in self.optimizer_.param_groups:
            group["lr"] = factor * group.setdefault("initial_lr", group["lr"])

    def _precision(self) -> AbstractContextManager[Any]:
        if self.autocast is None:
            return nullcontext()
        return torch.autocast(torch.device(self.device).type, dtype=self.autocast)

    @property
    def _default_callbacks(self) -> list[tuple[str, Any]]:
        return [("terms_bar", TermsBar())] if self.verbose else []
