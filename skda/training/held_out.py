"""Labeled rows held out of a training, and callbacks that look at them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from skorch.callbacks import BatchScoring, EpochScoring
from torch import Tensor
from torch.utils.data import Dataset

from skda.training.data import Samples, chunks

__all__ = ["HeldOut", "HeldOutRows", "check_callbacks", "validation_scores"]


class HeldOutRows(NamedTuple):
    """Labeled rows of one domain that the training does not see as such.

    Parameters
    ----------
    X : Tensor of shape (n, ...) or Samples
        Rows.
    labels : Tensor of shape (n, c)
        Their classes, one-hot.
    domain : {"target", "source"}
        Where they come from.
    """

    X: Any
    labels: Tensor
    domain: str


class HeldOut(Dataset[tuple[Any, Tensor]]):
    """What skorch takes for the validation part of a data set.

    Parameters
    ----------
    rows : HeldOutRows
        The rows.
    """

    def __init__(self, rows: HeldOutRows) -> None:
        self.rows = rows
        self.codes = rows.labels.argmax(dim=1)

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.codes)

    def __getitem__(self, row: int) -> tuple[Any, Tensor]:
        """Look up one row and the position of its class."""
        X = self.rows.X
        return (X[[row]] if isinstance(X, Samples) else X[row]), self.codes[row]

    def batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield all rows and the positions of their classes, some at a time.

        Yields
        ------
        X : Tensor of shape (m, ...)
            Rows.
        codes : Tensor of shape (m,)
            Positions of their classes.
        """
        start = 0
        for X in chunks(self.rows.X, self.codes.device):
            yield X, self.codes[start : start + len(X)]
            start += len(X)


def check_callbacks(callbacks: list[Any] | None, *, held_out: bool) -> None:
    """Reject callbacks that wait for what the history will not have.

    Parameters
    ----------
    callbacks : list of skorch callbacks or None
        Callbacks, or pairs of a name and one.
    held_out : bool
        Whether there are rows to validate on.

    Raises
    ------
    ValueError
        If a callback watches a score of validation rows and there are none, or a score
        of single training rows, which adaptation has not.
    """
    for entry in callbacks or ():
        callback = entry[1] if isinstance(entry, tuple) else entry
        name = type(callback).__name__
        scores = isinstance(callback, (EpochScoring, BatchScoring))
        if scores and callback.on_train:
            raise ValueError(
                f"{name}(on_train=True) scores predictions of training batches, of "
                f"which adaptation makes none: watch the terms in history_, or score "
                f"held-out rows (on_train=False with validation_fraction)."
            )
        monitor = getattr(callback, "monitor", None)
        waits = isinstance(monitor, str) and monitor.startswith("valid_")
        if (waits or scores) and not held_out:
            what = f"waits for {monitor!r}" if waits else "scores validation rows"
            raise ValueError(
                f"{name} {what}, and no row is held out to validate on: pass "
                f"validation_fraction, such as 0.2, where the estimator has it, or let "
                f"the callback watch 'train_loss'."
            )


def validation_scores(logits: list[Tensor], codes: list[Tensor]) -> dict[str, float]:
    """Score the held-out rows.

    Parameters
    ----------
    logits : list of Tensor of shape (n_i, c)
        Logits of some of the rows.
    codes : list of Tensor of shape (n_i,)
        Positions of their classes.

    Returns
    -------
    dict of str to float
        Mean cross-entropy and accuracy.
    """
    scores, truth = torch.cat(logits).float(), torch.cat(codes)
    loss = torch.nn.functional.cross_entropy(scores, truth)
    accuracy = (scores.argmax(dim=1) == truth).float().mean()
    values = torch.stack([loss, accuracy]).tolist()
    return dict(zip(("valid_loss", "valid_acc"), values, strict=True))
