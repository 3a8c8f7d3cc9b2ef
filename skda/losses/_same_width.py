"""A check of the features of two domains."""

from __future__ import annotations

from torch import Tensor

__all__ = ["check_same_width"]


def check_same_width(**tensors: Tensor) -> None:
    """Reject shapes that would broadcast to a wrong result without an error.

    Parameters
    ----------
    **tensors : Tensor
        Features by their names.
    """
    shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    if any(len(shape) != 2 for shape in shapes.values()):
        raise ValueError(f"Expected 2D tensors, got shapes {shapes}.")
    if len({width for _, width in shapes.values()}) > 1:
        raise ValueError(f"Expected tensors of the same width, got shapes {shapes}.")
