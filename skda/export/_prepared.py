"""Fitted estimators whose parts record what they do."""

from __future__ import annotations

import warnings
from copy import deepcopy
from functools import partial, singledispatch
from importlib import import_module
from typing import Any

import numpy as np
import torch
from sklearn.base import BaseEstimator, is_classifier

from skda.export._graph import OPSET, NotExportable
from skda.export._recorded import Recorded
from skda.export._torch import RecordedTensor
from skda.training import DomainNet
from skda.utils.optional import import_optional

__all__ = ["call", "named", "prepare", "write"]

_METHODS = ("transform", "predict", "predict_proba", "decision_function", "kneighbors")


@singledispatch
def write(part: Any, method: str, X: Recorded) -> Recorded:
    """Write a method of a fitted part by skl2onnx, if nobody has said how.

    Parameters
    ----------
    part : estimator
        Transformer or classifier.
    method : {"transform", "predict", "predict_proba", "decision_function"}
        What is called.
    X : Recorded
        Rows.

    Returns
    -------
    Recorded
        What the method returns.
    """
    return _convert(part, method, X)


def _convert(part: Any, method: str, X: Recorded) -> Recorded:
    """Let skl2onnx write a part; in float32 what it cannot in float64."""
    import_optional("skl2onnx", "export_onnx writes by skl2onnx", "onnx")
    options: Any = None
    if is_classifier(part):
        raw = {"raw_scores": True} if method == "decision_function" else {}
        options = {id(part): {"zipmap": False} | raw}
    elif method != "transform":
        raise NotExportable(f"nobody has said how to write its {method}")
    value = getattr(part, method)(named(part, X.value))
    value = value.toarray() if hasattr(value, "toarray") else np.asarray(value)
    place = 1 if is_classifier(part) and method != "predict" else 0
    try:
        model = _model_of(part, X, options, place, value)
    except NotExportable:
        if X.dtype == np.float32:
            raise
        X = X.astype(np.float32)
        model = _model_of(part, X, options, place, value)
    return _include(X, model, place, value)


def _model_of(part: Any, X: Recorded, options: Any, place: int, value: Any) -> Any:
    """Make a model of a part, and check that it computes a value."""
    skl2onnx = import_module("skl2onnx")
    types = import_module("skl2onnx.common.data_types")
    kinds = {"float32": types.FloatTensorType, "float64": types.DoubleTensorType}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what it uses of scikit-learn
            model = skl2onnx.convert_sklearn(
                part,
                initial_types=[("X", kinds[X.dtype.name]([None, X.shape[1]]))],
                options=options,
                target_opset={"": OPSET, "ai.onnx.ml": 3},
            )
        X.graph.onnx.checker.check_model(model, full_check=True)
        session = X.graph.load(model.SerializeToString())
        found = session.run(None, {"X": X.value})[place]
    except Exception as error:  # of any kind, as skl2onnx has many of its own
        reason = str(error).strip().splitlines()[0].rstrip(".")
        raise NotExportable(f"skl2onnx cannot write it: {reason}") from error
    if not np.allclose(found, value, rtol=1e-4, atol=1e-4):
        raise NotExportable(f"what skl2onnx writes, in {X.dtype}, is not the same")
    return model


def _include(X: Recorded, model: Any, place: int, value: Any) -> Recorded:
    """Make the nodes of another model a part of this one."""
    graph = X.graph
    prefix = graph.name("part") + "_"
    model = graph.onnx.compose.add_prefix(model, prefix)
    given, wanted = model.graph.input[0].name, model.graph.output[place].name
    for node in model.graph.node:
        node.input[:] = [X.name if name == given else name for name in node.input]
    graph.nodes.extend(model.graph.node)
    graph.constants.extend(model.graph.initializer)
    for opset in model.opset_import:
        if opset.domain:
            graph.opsets[opset.domain] = opset.version
    result = Recorded(graph, np.asarray(value), wanted)
    kind = model.graph.output[place].type.tensor_type.elem_type
    if kind != graph.type_of(result.dtype):
        return result.then(
            result.value, "Cast", [wanted], to=graph.type_of(result.dtype)
        )
    return result


def call(part: Any, method: str, X: Any, **params: Any) -> Any:
    """Call a method of a part of an estimator, or record the call.

    Parameters
    ----------
    part : estimator
        Fitted part.
    method : str
        Name of the method.
    X : Recorded or array-like
        Rows.
    **params : dict
        Further arguments.

    Returns
    -------
    Recorded or ndarray
        What the method returns.
    """
    if not isinstance(X, Recorded):
        return getattr(part, method)(X, **params)
    if _is_ours(part):
        return getattr(prepare(part), method)(X, **params)
    try:
        result = write(part, method, X)
        _compare(part, method, X, result, params)
    except NotExportable as error:
        raise NotExportable(f"{type(part).__name__}: {error}") from error
    return result


def named(part: Any, rows: Any) -> Any:
    """Make the table that a part wants of rows, if it knows columns by name.

    Parameters
    ----------
    part : estimator
        Fitted part.
    rows : ndarray of shape (n, p)
        Rows.

    Returns
    -------
    {ndarray, DataFrame} of shape (n, p)
        The rows.
    """
    names = getattr(part, "feature_names_in_", None)
    if names is None:
        return rows
    pandas = import_optional("pandas", "export_onnx makes tables by pandas")
    return pandas.DataFrame(rows, columns=names)


def _compare(part: Any, method: str, X: Any, result: Any, params: Any) -> None:
    """Check that a part is what it was taken for."""
    if isinstance(part, str):
        return
    real = getattr(part, method)(named(part, X.value), **params)
    real = real.toarray() if hasattr(real, "toarray") else np.asarray(real)
    same = real.shape == result.shape
    if same and real.dtype.kind == "f":
        same = np.allclose(real, result.value, rtol=1e-3, atol=1e-4, equal_nan=True)
    if not same:
        raise NotExportable(f"its {method} is not what was written")


def _is_ours(part: Any) -> bool:
    """Say whether the code of a part is written to be recorded."""
    return any(c.__module__.partition(".")[0] == "skda" for c in type(part).__mro__)


class _Part:
    """A part of another library, whose calls are written as a whole."""

    def __init__(self, part: Any) -> None:
        self._part = part

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._part, name)
        return partial(call, self._part, name) if name in _METHODS else value


class _Net:
    """A trained network, on the CPU."""

    def __init__(self, net: DomainNet) -> None:
        self.module_ = deepcopy(net.module_).cpu().eval()

    @torch.inference_mode()
    def evaluate(self, function: Any, X: Recorded) -> Recorded:
        """Record a function of the network."""
        result: Recorded = function(RecordedTensor(X)).recorded
        return result


def prepare(value: Any, known: dict[int, Any] | None = None) -> Any:
    """Copy an object such that its parts record their calls.

    Parameters
    ----------
    value : object
        An estimator, or what it has for attributes.
    known : dict, default=None
        Copies made so far, by the identity of what they are copies of.

    Returns
    -------
    object
        The copy; arrays and what is no part are shared.
    """
    known = {} if known is None else known
    if id(value) in known:
        return known[id(value)]
    if isinstance(value, DomainNet):
        return known.setdefault(id(value), _Net(value))
    if isinstance(value, (dict, list, tuple)):
        return _prepare_container(value, known)
    if isinstance(value, (type, torch.nn.Module)) or not hasattr(value, "__dict__"):
        return value
    if _is_ours(value):
        copy = known[id(value)] = object.__new__(type(value))
        vars(copy).update({k: prepare(v, known) for k, v in vars(value).items()})
        return copy
    return _Part(value) if isinstance(value, BaseEstimator) else value


def _prepare_container(value: Any, known: dict[int, Any]) -> Any:
    """Copy a dictionary, a list or a tuple of such objects."""
    if isinstance(value, dict):
        return {key: prepare(each, known) for key, each in value.items()}
    parts = [prepare(each, known) for each in value]
    return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
