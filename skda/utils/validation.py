"""One voice for what is wrong with the data and the devices."""

from __future__ import annotations

import reprlib
from numbers import Integral
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import issparse
from sklearn import config_context
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from skda.utils._sklearn import BaseEstimator
from skda.utils.memory import fit_transform_once
from skda.utils.operations import recordable, validate_data

__all__ = [
    "FeatureMemory",
    "apply_transformer",
    "as_tensor",
    "before_final",
    "check_device",
    "check_layers",
    "check_magnitude",
    "check_pair",
    "check_precision",
    "final_estimator",
    "only_transformer",
    "validate_features",
]


class FeatureMemory(BaseEstimator):
    """Remembers number and names of features, as an estimator does those of ``X``.

    Parameters
    ----------
    name : str
        What errors call it, such as "the source of GeoST".
    """

    def __init__(self, name: str) -> None:
        self.name = name


def validate_features(owner: Any, X: Any, **settings: Any) -> Any:
    """Validate samples, and remember or compare number and names of their features.

    Parameters
    ----------
    owner : estimator or FeatureMemory
        Remembers the features.
    X : array-like of shape (n, p)
        Samples.
    **settings : dict
        Passed to scikit-learn's ``validate_data``.

    Returns
    -------
    array-like of shape (n, p)
        The samples.
    """
    if not isinstance(owner, FeatureMemory):
        return validate_data(owner, X, **settings)
    # scikit-learn calls an estimator by the name of its class: lend it one.
    named: Any = type(owner.name, (BaseEstimator,), {})()
    vars(named).update(vars(owner))
    samples = validate_data(named, X, **settings)
    vars(owner).update(vars(named))
    return samples


def apply_transformer(transformer: Any, X: Any, *, fitting: bool, **params: Any) -> Any:
    """Transform samples, if there is a transformer, whatever the global output is."""
    if transformer is None:
        return X
    with config_context(transform_output="default"):
        if fitting:
            return fit_transform_once(transformer, X)
        return transformer.transform(X, **params)


@recordable
def check_magnitude(X: Any, where: str, *, power: int = 2) -> None:
    """Refuse values whose powers, which the methods compute, are infinite.

    Sums of 1e8 squares, or of 1e16 fourth powers, still are finite.

    Parameters
    ----------
    X : {ndarray, sparse matrix} of shape (n, p)
        Finite samples. The methods bring those of type float32 to a unit in which
        squares are finite, so that float64 alone is checked.
    where : str
        What the samples are, for the error.
    power : int, default=2
        The highest power that is computed.
    """
    values = X.data if issparse(X) else X  # type: ignore[attr-defined]
    if getattr(values, "dtype", None) != np.float64 or not values.size:
        return
    limit = 1e-4 * float(np.finfo(np.float64).max) ** (1 / power)
    largest = max(values.max(), -values.min())
    if largest > limit:
        row, column = (int(places[0]) for places in (abs(X) >= largest).nonzero())
        name = "square" if power == 2 else f"{power}th power"
        raise ValueError(
            f"Expected absolute values up to {limit:.0e} in {where}, got {largest:.0e} "
            f"in row {row}, column {column}, whose {name} overflows: correct the "
            f"value, or measure the feature in a larger unit."
        )


def check_pair(pair: Any, form: str) -> tuple[Any, Any]:
    """Check that a fit parameter is a tuple of two, and fetch what is on a cluster."""
    if isinstance(pair, list) and pair and all(isinstance(p, tuple) for p in pair):
        raise TypeError(
            f"Expected {form}, one source, got a list of {len(pair)}: several are for "
            f"skda.AutoAdapter, skda.heterogeneous.GeoST, "
            f"skda.heterogeneous.PairedRidgeTransfer and skda.source_gain. Pass one of "
            f"them, or stack those that have the same features."
        )
    if isinstance(pair, tuple) and pair and all(map(_is_pair_of_rows, pair)):
        raise TypeError(
            f"Expected {form}, got a tuple of {len(pair)} tuples: several sources are "
            f"a list, source=[(X_1, y_1), (X_2, y_2)]."
        )
    if not isinstance(pair, tuple) or len(pair) != 2:
        raise TypeError(f"Expected {form}, a tuple of two, got {reprlib.repr(pair)}.")
    first, second = map(_fetch, pair)
    return first, second


def _fetch(value: Any) -> Any:
    """Fetch what a future stands for, as one of Dask; anything else is itself."""
    is_future = callable(getattr(value, "result", None)) and hasattr(value, "done")
    return value.result() if is_future else value


def _is_pair_of_rows(value: Any) -> bool:
    """Say whether a value looks like a source: a tuple of a table and labels."""
    is_pair = isinstance(value, tuple) and len(value) == 2
    return is_pair and len(getattr(value[0], "shape", ())) > 1


def only_transformer(transformer: Any) -> Any:
    """Take the transformer of a single source, which may be a list of one."""
    if not isinstance(transformer, list):
        return transformer
    if len(transformer) != 1:
        raise ValueError(
            f"Expected as many entries in source_transformer as sources, got "
            f"{len(transformer)} and 1: pass one transformer."
        )
    return transformer[0]


def check_device(device: str | torch.device) -> torch.device:
    """Resolve ``"auto"``: CUDA where there is one, else the CPU."""
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        resolved = torch.device(device)
    except RuntimeError as error:
        raise ValueError(
            f"Expected a device that PyTorch knows, such as 'auto', 'cpu', 'cuda' or "
            f"'cuda:1', got {device!r}."
        ) from error
    n_devices = torch.cuda.device_count()
    if resolved.type == "cuda" and (resolved.index or 0) >= n_devices:
        raise ValueError(
            f"device={device!r} asks for a CUDA device, of which PyTorch finds "
            f"{n_devices}: pass device='auto' to use one where there is one."
        )
    return resolved


def check_precision(precision: str, device: torch.device) -> torch.dtype | None:
    """Resolve ``"auto"``: bfloat16 where the device computes in it, else float32."""
    if precision == "auto":
        precision = "bfloat16" if _computes_in_bfloat16(device) else "float32"
    return torch.bfloat16 if precision == "bfloat16" else None


def _computes_in_bfloat16(device: torch.device) -> bool:
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    abilities = torch.cpu.get_capabilities() if device.type == "cpu" else {}
    return bool(abilities.get("avx512_bf16"))


def as_tensor(array: NDArray[Any], device: torch.device) -> Tensor:
    """Move an array to a device; on the CPU share its memory, if torch can."""
    return torch.from_numpy(np.require(array, requirements=["C", "W"])).to(device)


def check_layers(sizes: Any, name: str = "hidden_layer_sizes") -> list[int]:
    """Check the widths of layers, of which there must be one at least.

    Parameters
    ----------
    sizes : sequence of int
        Width of every layer.
    name : str, default="hidden_layer_sizes"
        What they are called.

    Returns
    -------
    list of int
        The widths.
    """
    widths = list(sizes)
    if not widths or not all(isinstance(n, Integral) and int(n) > 0 for n in widths):
        raise ValueError(
            f"{name} must have one layer at least, and positive integers alone, got "
            f"{sizes!r}."
        )
    return widths


def final_estimator(estimator: Any) -> Any:
    """Find the fitted estimator in searches and pipelines.

    Parameters
    ----------
    estimator : estimator object
        A fitted estimator, or a search or pipeline around one.

    Returns
    -------
    estimator object
        The innermost one.
    """
    check_is_fitted(estimator)
    if hasattr(estimator, "best_estimator_"):
        return final_estimator(estimator.best_estimator_)
    if isinstance(estimator, Pipeline):
        return final_estimator(estimator[-1])
    if getattr(estimator, "_hides_labels", False):
        return final_estimator(estimator.estimator_)
    return estimator


def before_final(estimator: Any, X: Any) -> Any:
    """Take target samples through the steps before the innermost estimator.

    Parameters
    ----------
    estimator : estimator object
        A fitted estimator, or a search or pipeline around one.
    X : array-like of shape (n_samples, n_features)
        Samples.

    Returns
    -------
    array-like of shape (n_samples, n_features_out)
        What :func:`final_estimator` sees of them.
    """
    if hasattr(estimator, "best_estimator_"):
        return before_final(estimator.best_estimator_, X)
    if isinstance(estimator, Pipeline):
        rows = estimator[:-1].transform(X) if len(estimator) > 1 else X
        return before_final(estimator[-1], rows)
    if getattr(estimator, "_hides_labels", False):
        return before_final(estimator.estimator_, X)
    return X
