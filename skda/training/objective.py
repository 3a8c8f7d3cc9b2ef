"""What a training minimizes, and for how long."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from skda.training.data import Batch

__all__ = ["Objective", "Phase", "check_terms"]


class Objective(nn.Module):
    """What a method minimizes: loss terms by name, already weighted.

    ``forward`` is the method's equation. It runs at every step and never waits for the
    device. The hooks run around it, without gradients; what they keep from one step to
    the next is a buffer, or an attribute with numbers, tensors, lists or dicts of them.
    A checkpoint has these, and a fit that goes on runs :meth:`start_fit` before it puts
    them back.

    Parameters
    ----------
    lr_multipliers : dict of str to float, default=None
        Learning rates, relative to the net's, of parameters whose names start so.

    Attributes
    ----------
    generator : torch.Generator, Generators or None
        During a training, what ``forward`` and the hooks draw random numbers from; in
        ``forward`` by :func:`skda.utils.seeding.draw`, for networks may be stacked.
    """

    def __init__(self, lr_multipliers: Mapping[str, float] | None = None) -> None:
        super().__init__()
        self.lr_multipliers = dict(lr_multipliers or {})
        self.generator: torch.Generator | None = None

    def forward(self, module: Any, batch: Batch, progress: float) -> dict[str, Tensor]:
        """Evaluate every term on one batch.

        Parameters
        ----------
        module : nn.Module
            Network.
        batch : Batch
            Rows of the step, of shape (n, p), with labels of shape (n, c).
        progress : float
            Fraction of the phase already done, from 0 to 1.

        Returns
        -------
        dict of str to Tensor of shape ()
            The terms, weighted. The net minimizes their sum.
        """
        raise NotImplementedError

    def start_fit(self, module: Any, domains: Batch) -> None:
        """Prepare, once, with every row at hand.

        Parameters
        ----------
        module : nn.Module
            Network.
        domains : Batch
            Every row, of shape (n, p), with labels of shape (n, c).
        """

    def start_epoch(self, module: Any, domains: Batch, progress: float) -> None:
        """Refresh what depends on the whole domains.

        Parameters
        ----------
        module : nn.Module
            Network.
        domains : Batch
            Every row, of shape (n, p), with labels of shape (n, c).
        progress : float
            Fraction of the phase already done, from 0 to 1.
        """

    def end_step(self, module: Any, batch: Batch) -> None:
        """Refresh what depends on the step just taken.

        Parameters
        ----------
        module : nn.Module
            Network, after the update.
        batch : Batch
            Rows of the step, of shape (n, p), with labels of shape (n, c).
        """


class Phase(NamedTuple):
    """A stretch of training with an objective of its own.

    Parameters
    ----------
    criterion : Objective
        What to minimize.
    max_epochs : int
        For how long; progress runs from 0 to 1 in every phase.
    phase : str, default="train"
        Name of the phase in the history.
    """

    criterion: Objective
    max_epochs: int
    phase: str = "train"


def check_terms(terms: Any, objective: nn.Module) -> None:
    """Reject what is no sum of terms, before PyTorch fails on it.

    Parameters
    ----------
    terms : object
        What ``forward`` returned.
    objective : nn.Module
        Whose ``forward`` it was.

    Raises
    ------
    TypeError
        If it is no dict of tensors of shape ().
    """
    wrong = ""
    if not isinstance(terms, dict):
        wrong = _describe(terms)
    elif not terms:
        wrong = "an empty dict"
    for name, term in {} if wrong else terms.items():
        if not isinstance(term, Tensor) or term.ndim:
            wrong = f"{_describe(term)} under {name!r}"
    if wrong:
        raise TypeError(
            f"Expected {type(objective).__name__} to return a dict of terms by name, "
            f"each a Tensor of shape (), got {wrong}: weight every term and reduce it "
            f"to one number."
        )


def _describe(value: Any) -> str:
    """Name what an objective returned, with its shape if it has one."""
    if value is None:
        return "None"
    shape = f" of shape {tuple(value.shape)}" if isinstance(value, Tensor) else ""
    return f"a {type(value).__name__}{shape}"
