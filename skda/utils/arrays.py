"""Arrays of other libraries, which become NumPy's at the door."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

__all__ = ["to_numpy"]


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
