"""Arrays of other libraries, which become NumPy's at the door."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skda.utils.operations import recordable

__all__ = ["channels_first", "to_numpy"]


@recordable
def channels_first(images: NDArray[Any]) -> NDArray[Any]:
    """Move the channels of images before height and width, as in PyTorch.

    Parameters
    ----------
    images : ndarray of shape (n, ...)
        Images. Their channels are last if the last axis has 1, 3 or 4 entries and
        neither of the two before has: maps of few pixels have their channels first.

    Returns
    -------
    ndarray of shape (n, channels, height, width) or (n, ...)
        The same, or what has not four axes, as it is.
    """
    if images.ndim != 4:
        return images
    first, width, last = (size in {1, 3, 4} for size in images.shape[1:])
    if not last or first or width:
        return images
    return np.ascontiguousarray(np.moveaxis(images, -1, 1))


def to_numpy(array: Any) -> Any:
    """Make a NumPy array of the array of another library, such as PyTorch.

    scikit-learn can be set to compute with such arrays themselves, and its validation
    then returns them; what comes after the validation in skda works on NumPy's.

    Parameters
    ----------
    array : object
        Data of any kind; a tensor may be on any device, sparse, or require gradients.

    Returns
    -------
    object
        A NumPy array instead of another library's; anything else as it is.
    """
    torch = sys.modules.get("torch")  # without it, nothing is a tensor
    if torch is not None and isinstance(array, torch.Tensor):
        tensor = array.detach().to_dense()
        if tensor.dtype is torch.bfloat16:  # which NumPy does not have
            tensor = tensor.float()
        return tensor.numpy(force=True)
    if hasattr(array, "__array_namespace__") and not isinstance(
        array, (np.ndarray, np.generic)
    ):
        return np.asarray(array)
    return array
