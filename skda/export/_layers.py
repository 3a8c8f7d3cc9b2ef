"""How the layers of networks are written."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from skda.export._graph import NotExportable
from skda.export._torch import records_tensors
from skda.utils.operations import expit


@records_tensors(F.linear)
def _linear(X: Any, weight: Any, bias: Any = None) -> Any:
    Z = X @ weight.T
    return Z if bias is None else Z + bias


@records_tensors(F.relu, torch.relu, Tensor.relu)
def _relu(X: Any, inplace: bool = False) -> Any:
    return np.maximum(X, X.dtype.type(0))


@records_tensors(F.relu6)
def _relu6(X: Any, inplace: bool = False) -> Any:
    return np.clip(X, 0, 6)


@records_tensors(F.hardtanh)
def _hardtanh(
    X: Any, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False
) -> Any:
    return np.clip(X, min_val, max_val)


@records_tensors(F.leaky_relu)
def _leaky_relu(X: Any, negative_slope: float = 0.01, inplace: bool = False) -> Any:
    return np.maximum(X, 0) + negative_slope * np.minimum(X, 0)


@records_tensors(F.elu)
def _elu(X: Any, alpha: float = 1.0, inplace: bool = False) -> Any:
    return np.where(X > 0, X, alpha * (np.exp(np.minimum(X, 0)) - 1))


@records_tensors(F.silu)
def _silu(X: Any, inplace: bool = False) -> Any:
    return X * expit(X)


@records_tensors(F.gelu)
def _gelu(X: Any, approximate: str = "none") -> Any:
    if approximate != "none":
        raise NotExportable(f"its network has a GELU with {approximate=}")
    exact = F.gelu(torch.from_numpy(X.value)).numpy()
    half = X * X.dtype.type(np.sqrt(0.5))
    erf = half.then(torch.erf(torch.from_numpy(half.value)).numpy(), "Erf", [half.name])
    result = X * 0.5 * (1 + erf)
    result.value = exact
    return result


@records_tensors(F.dropout, F.dropout1d, F.dropout2d)
def _dropout(
    X: Any, p: float = 0.5, training: bool = True, inplace: Any = False
) -> Any:
    if training and p:
        raise NotExportable("its network drops units out of the training too")
    return X


@records_tensors(F.normalize)
def _normalize(
    X: Any, p: float = 2.0, dim: int = 1, eps: float = 1e-12, out: Any = None
) -> Any:
    if p != 2 or out is not None:
        raise NotExportable(f"its network normalizes with p={p} and out={out}")
    length = np.sqrt(np.sum(X * X, axis=dim, keepdims=True))
    return X / np.maximum(length, X.dtype.type(eps))


@records_tensors(F.rms_norm, torch.rms_norm)
def _rms_norm(X: Any, shape: Any, weight: Any = None, eps: Any = None) -> Any:
    eps = np.finfo(X.dtype).eps if eps is None else eps
    axes = tuple(range(X.ndim - len(shape), X.ndim))
    mean = np.mean(X * X, axis=axes, keepdims=True)
    Z = X / np.sqrt(mean + X.dtype.type(eps))
    return Z if weight is None else Z * weight


@records_tensors(F.layer_norm)
def _layer_norm(
    X: Any, shape: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Any:
    axes = tuple(range(X.ndim - len(shape), X.ndim))
    centered = X - np.mean(X, axis=axes, keepdims=True)
    variance = np.mean(centered * centered, axis=axes, keepdims=True)
    Z = centered / np.sqrt(variance + X.dtype.type(eps))
    Z = Z if weight is None else Z * weight
    return Z if bias is None else Z + bias


@records_tensors(F.batch_norm)
def _batch_norm(
    X: Any,
    mean: Any,
    variance: Any,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    if training:
        raise NotExportable("its network normalizes rows by those of the same batch")
    shape = (-1,) + (1,) * (X.ndim - 2)
    scale = 1 / np.sqrt(variance + eps)
    scale = scale if weight is None else scale * weight
    shift = -mean * scale if bias is None else bias - mean * scale
    return X * scale.reshape(shape) + shift.reshape(shape)


@records_tensors(F.conv2d, torch.conv2d)
def _conv2d(
    X: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    if isinstance(padding, str):
        raise NotExportable(f"its network has a convolution with {padding=}")
    tensors: list[Any] = [
        None if a is None else torch.from_numpy(a) for a in (weight, bias)
    ]
    arguments: Any = *tensors, stride, padding, dilation, groups
    value = F.conv2d(torch.from_numpy(X.value), *arguments)
    names = [X.graph.constant(a) for a in (weight, bias) if a is not None]
    return X.then(
        value.numpy(),
        "Conv",
        [X.name, *names],
        strides=_pair(stride),
        pads=_pair(padding) * 2,
        dilations=_pair(dilation),
        group=groups,
    )


@records_tensors(F.max_pool2d, torch.max_pool2d)
def _max_pool2d(
    X: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    stride = kernel_size if stride is None else stride
    sizes = kernel_size, stride, padding, dilation, ceil_mode
    return X.then(
        F.max_pool2d(torch.from_numpy(X.value), *sizes).numpy(),
        "MaxPool",
        [X.name],
        kernel_shape=_pair(kernel_size),
        strides=_pair(stride),
        pads=_pair(padding) * 2,
        dilations=_pair(dilation),
        ceil_mode=int(ceil_mode),
    )


@records_tensors(F.adaptive_avg_pool2d)
def _adaptive_avg_pool2d(X: Any, output_size: Any) -> Any:
    if _pair(output_size) != [1, 1]:
        raise NotExportable(f"its network pools to {output_size}, not to one number")
    return np.mean(X, axis=(2, 3), keepdims=True)


def _pair(size: Any) -> list[int]:
    """Make a size for each of height and width."""
    return [int(n) for n in (size if isinstance(size, (list, tuple)) else (size, size))]
