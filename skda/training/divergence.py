"""Detection of a training that diverges, without waiting for the device."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

__all__ = [
    "DivergenceCheck",
    "check_collapse",
    "check_losses",
    "check_parameters",
    "refuse_singular",
    "variation",
]

#: On a GPU, the losses of every so many epochs are copied while the training goes on.
EPOCHS_BETWEEN_COPIES = 10
#: How far the outputs of a new network vary between samples that it can tell apart.
CLEARLY = 0.01
#: A loss that has grown by this factor was not minimized.
GROWTH = 10.0
CURE = "lower the learning rate, lr={lr:g}, or scale the features."


class DivergenceCheck:
    """Raise an error as soon as a loss that is not finite can be seen.

    On the CPU that is at the end of its epoch. Elsewhere the losses are copied in the
    background, and read once they have arrived.

    Parameters
    ----------
    lr : float
        Learning rate, for the message.
    """

    def __init__(self, lr: float) -> None:
        self.lr = lr
        self.n_epochs = 0
        self.copies: deque[tuple[Any, tuple[str, ...], Tensor]] = deque()

    def watch(self, names: tuple[str, ...], losses: Tensor) -> None:
        """Check the losses of an epoch, now or when they are at hand.

        Parameters
        ----------
        names : tuple of str
            Names of the losses.
        losses : Tensor of shape (n_losses,)
            Their means over the epoch.
        """
        self.n_epochs += 1
        if losses.device.type == "cpu":
            check_losses(names, _read(losses), self.lr)
        elif losses.device.type == "cuda":
            while self.copies and self.copies[0][0].query():
                _, copied_names, copied = self.copies.popleft()
                check_losses(copied_names, _read(copied), self.lr)
            if self.n_epochs % EPOCHS_BETWEEN_COPIES == 0:
                copied = losses.to("cpu", non_blocking=True)
                arrival = torch.cuda.Event()
                arrival.record(torch.cuda.current_stream(losses.device))
                self.copies.append((arrival, names, copied))


def check_losses(names: Sequence[str], losses: Sequence[float], lr: float) -> None:
    """Raise an error unless all losses are finite.

    Parameters
    ----------
    names : sequence of str
        Names of the losses.
    losses : sequence of float
        The losses.
    lr : float
        Learning rate, for the message.
    """
    if all(map(math.isfinite, losses)):
        return
    values = zip(names, losses, strict=True)
    wrong = ", ".join(f"{name}={x}" for name, x in values if not math.isfinite(x))
    raise ValueError(
        f"The training diverged: {wrong}. To cure it, {CURE.format(lr=lr)}"
    )


def check_parameters(module: nn.Module, lr: float) -> None:
    """Raise an error unless the parameters and buffers of a module are finite.

    Parameters
    ----------
    module : nn.Module
        A trained network.
    lr : float
        Learning rate, for the message.
    """
    tensors = [*module.parameters(), *module.buffers()]
    # Both extremes in one pass, without a copy of the weights.
    pairs = [torch.aminmax(t.detach()) for t in tensors if _has_floats(t)]
    extremes = [x.float() for pair in pairs for x in pair]
    if extremes and not all(map(math.isfinite, _read(torch.stack(extremes)))):
        raise ValueError(
            f"The training diverged: the weights of the network are not finite. To "
            f"cure it, {CURE.format(lr=lr)}"
        )


def check_collapse(
    before: Mapping[str, float],
    after: Mapping[str, float],
    losses: Sequence[float],
    lr: float,
) -> None:
    """Raise an error if outputs that varied are equal up to rounding.

    They must have varied clearly, or the loss must have grown a lot instead of
    falling: the outputs of a network may well become equal where its inputs are
    almost so.

    Parameters
    ----------
    before, after : mapping of str to float
        How far the outputs of a network vary, by the name of its input, before and
        after the training.
    losses : sequence of float
        Sum of the losses in every epoch.
    lr : float
        Learning rate, for the message.
    """
    rounding = 8 * torch.finfo(torch.float32).eps
    has_grown = len(losses) > 0 and losses[-1] > GROWTH * abs(losses[0])
    least = rounding if has_grown else CLEARLY
    collapsed = [
        name for name, x in before.items() if x > least and after[name] <= rounding
    ]
    if collapsed:
        raise ValueError(
            f"The training collapsed: the network maps all samples of the "
            f"{' and the '.join(collapsed)} to the same output. To cure it, "
            f"{CURE.format(lr=lr)}"
        )


@contextmanager
def refuse_singular(lr: float) -> Iterator[None]:
    """Raise the error of a diverged training where a decomposition fails.

    Parameters
    ----------
    lr : float
        Learning rate, for the message.

    Yields
    ------
    None
        Once.
    """
    try:
        yield
    except torch.linalg.LinAlgError as error:  # type: ignore[attr-defined]
        raise ValueError(
            f"The training diverged: a matrix cannot be decomposed. To cure it, "
            f"{CURE.format(lr=lr)}"
        ) from error


def variation(outputs: Tensor) -> float:
    """Measure how far rows differ, relative to their largest entry.

    Parameters
    ----------
    outputs : Tensor of shape (n, d)
        Rows.

    Returns
    -------
    float
        The largest range of a column; 0 also if there are fewer than two rows.
    """
    if len(outputs) < 2 or not outputs.numel():
        return 0.0
    rows = outputs.detach().flatten(1).float().cpu()
    spread = (rows.amax(dim=0) - rows.amin(dim=0)).amax()
    return float(spread / rows.abs().amax().clamp_min(torch.finfo(rows.dtype).tiny))


def _read(values: Tensor) -> list[float]:
    """Convert a vector to numbers."""
    numbers: list[float] = values.float().cpu().numpy().tolist()
    return numbers


def _has_floats(tensor: Tensor) -> bool:
    return tensor.is_floating_point() and tensor.numel() > 0
