"""A fitted estimator as a model in the format ONNX."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

import skda
from skda.base import BaseRetriever
from skda.export import _layers, _parts  # noqa: F401 (they say how parts are written)
from skda.export._graph import N_ROWS, Graph, NotExportable
from skda.export._prepared import call, named, prepare
from skda.export._recorded import Recorded, single_row
from skda.utils.arrays import to_numpy
from skda.utils.files import write_whole
from skda.utils.validation import final_estimator

__all__ = ["export_onnx"]

#: How far the model may be from the estimator.
TOLERANCE = 1e-5


class Written(NamedTuple):
    """What was recorded of an estimator.

    Parameters
    ----------
    inputs, outputs : dict of str to Recorded
        What goes into the model, and what comes out of it.
    metadata : dict of str to str
        What the model says of itself.
    """

    inputs: dict[str, Recorded]
    outputs: dict[str, Recorded]
    metadata: dict[str, str]


def export_onnx(
    estimator: Any,
    path: str | Path,
    *,
    X: Any = None,
    dtype: Literal["float64", "float32"] = "float64",
) -> None:
    """Write the whole prediction of target rows as an ONNX model.

    All that lies between a row and its probabilities is inside: the user's
    transformers, scaling, smoothing by the neighbors among the fitted rows, the linear
    map or the network, and the softmax. Before the file is written, onnxruntime
    computes the sample rows, all of them and one alone, and the result is compared with
    that of the estimator.

    Parameters
    ----------
    estimator : estimator object
        Fitted classifier of a target, or a pipeline or a search with one at its end;
        or a fitted retriever. Of classifiers, any that predicts new rows from the rows
        alone.
    path : str or Path
        File to write, by custom with the suffix ``.onnx``.
    X : array-like of shape (n_samples, n_features), default=None
        Sample rows of the target, for the comparison; of a retriever, a mapping of its
        views. None draws standard normal ones. Pass your own where a transformer does
        not take any number, and wherever you can: they test what matters.
    dtype : {"float64", "float32"}, default="float64"
        Type of the rows that the model takes. Inside, it computes in the type of the
        estimator, which is float32 in networks and float64 otherwise.

    Raises
    ------
    ValueError
        If a part of the prediction cannot be written, or the model does not compute
        what the estimator does. No file is written then.

    See Also
    --------
    sklearn.base.BaseEstimator : What pickle and joblib store instead.

    Notes
    -----
    A model has the input ``X``, of shape (n, n_features), and the outputs ``label`` and
    ``probabilities``, of shapes (n,) and (n, n_classes), for any number of rows. Labels
    are integers or strings, as in ``classes_``. That of a retriever has one input and
    one output for each view, ``text`` and ``text_embedding`` for example, with numbers
    of rows of their own. The metadata of the model tell the version of skda, the class,
    the classes and, where they have any, the names of the features.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import onnxruntime
    >>> import skda
    >>> from sklearn.datasets import make_blobs
    >>> from skda.unsupervised import SPL
    >>> X, y = make_blobs(200, n_features=5, random_state=0)
    >>> clf = SPL().fit(X[:100] + 1.0, source=(X[100:], y[100:]))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "spl.onnx"
    ...     skda.export_onnx(clf, path, X=X[:100] + 1.0)
    ...     session = onnxruntime.InferenceSession(path)
    >>> label, probabilities = session.run(None, {"X": X[:1] + 1.0})
    >>> label == clf.predict(X[:1] + 1.0)
    array([ True])
    """
    if dtype not in ("float64", "float32"):
        raise ValueError(f"dtype must be 'float64' or 'float32', got {dtype!r}.")
    check_is_fitted(estimator)
    graph = Graph()
    try:
        with np.errstate(all="ignore"):
            if isinstance(estimator, BaseRetriever):
                written = _record_views(estimator, graph, X, dtype)
            else:
                written = _record_classifier(estimator, graph, X, dtype)
    except NotExportable as error:
        raise ValueError(
            f"{type(estimator).__name__} cannot be exported: {error}. "
            f"skda.save stores any fitted estimator."
        ) from error
    model = _make_model(graph, written)
    graph.onnx.checker.check_model(model, full_check=True)
    content = model.SerializeToString()
    _check(graph.load(content), written, type(estimator).__name__)
    write_whole(path, content)


def _record_classifier(estimator: Any, graph: Graph, X: Any, dtype: str) -> Written:
    """Record the prediction of sample rows."""
    if not hasattr(estimator, "predict_proba"):
        raise NotExportable("it has no predict_proba")
    rows = _sample_rows(X, getattr(estimator, "n_features_in_", None), dtype)
    given = Recorded(graph, rows, "X")
    found = call(estimator, "predict_proba", given)
    if not isinstance(found, Recorded):
        name = graph.repeat(single_row(found), "X")
        found = Recorded(graph, found, name)
    found.value = np.asarray(estimator.predict_proba(named(estimator, rows)))
    probabilities = _rename(found.astype(found.dtype), "probabilities")
    classes = np.asarray(estimator.classes_)
    if classes.dtype.kind not in "iub":
        classes = classes.astype(str).astype(object)
    elif classes.dtype.kind != "b":
        classes = classes.astype(np.int64)
    winner = found.argmax(axis=1)
    inputs = [graph.constant(classes), winner.name]
    label = _rename(winner.then(classes[winner.value], "Gather", inputs), "label")
    metadata = _describe(estimator) | {"classes": json.dumps(classes.tolist())}
    outputs = {"label": label, "probabilities": probabilities}
    return Written({"X": given}, outputs, metadata)


def _record_views(estimator: Any, graph: Graph, X: Any, dtype: str) -> Written:
    """Record the embeddings of the sample rows of every view."""
    ready = prepare(estimator)
    inputs, outputs = {}, {}
    for view in estimator.views_:
        rows = None if X is None else X[view]
        width = getattr(estimator._columns[view], "n_features_in_", None)
        width = estimator.view_widths_[view] if width is None else width
        given = Recorded(graph, _sample_rows(rows, width, dtype), view)
        (found,) = ready._embed({view: given}).values()
        (found.value,) = estimator.transform({view: given.value}).values()
        inputs[view], name = given, f"{view}_embedding"
        outputs[name] = _rename(found, name)
    return Written(inputs, outputs, _describe(estimator))


def _sample_rows(X: Any, n_features: int | None, dtype: str) -> NDArray[Any]:
    """Take or draw as many rows as are recorded."""
    if X is None:
        if n_features is None:
            raise NotExportable("it does not tell its number of features: pass X")
        draw = np.random.default_rng(0).standard_normal
        return draw((N_ROWS, n_features)).astype(dtype)
    try:
        rows = np.asarray(to_numpy(X), dtype=dtype)
    except (TypeError, ValueError) as error:
        raise NotExportable("it takes tables that are not of numbers alone") from error
    if rows.ndim < 2 or not len(rows):
        raise ValueError(f"Expected X to have rows, got shape {rows.shape}.")
    return np.resize(rows, (N_ROWS, *rows.shape[1:]))


def _rename(value: Recorded, name: str) -> Recorded:
    """Give an output its name."""
    value.graph.nodes.append(
        value.graph.onnx.helper.make_node("Identity", [value.name], [name], name=name)
    )
    return Recorded(value.graph, value.value, name)


def _describe(estimator: Any) -> dict[str, str]:
    """Say what the model is of."""
    kind = type(final_estimator(estimator))
    described = {
        "skda": skda.__version__,
        "estimator": f"{kind.__module__}.{kind.__qualname__}",
    }
    names = getattr(estimator, "feature_names_in_", None)
    if names is not None:
        described["feature_names_in"] = json.dumps(np.asarray(names).tolist())
    return described


def _make_model(graph: Graph, written: Written) -> Any:
    """Put nodes, inputs and outputs together."""
    helper = graph.onnx.helper
    described = [
        [
            helper.make_tensor_value_info(
                name,
                graph.onnx.TensorProto.STRING
                if each.dtype.kind == "O"
                else graph.type_of(each.dtype),
                [f"n_{name}" if len(written.inputs) > 1 else "n", *each.shape[1:]],
            )
            for name, each in values.items()
        ]
        for values in (written.inputs, written.outputs)
    ]
    content = helper.make_graph(graph.nodes, "skda", *described, graph.constants)
    model = helper.make_model(
        content,
        opset_imports=[helper.make_opsetid(*pair) for pair in graph.opsets.items()],
        producer_name="skda",
        producer_version=skda.__version__,
        ir_version=10,  # which the runtimes of the last years read
    )
    helper.set_model_props(model, written.metadata)
    return model


def _check(session: Any, written: Written, name: str) -> None:
    """Compare the model with the estimator, on many rows and on one."""
    names = list(written.outputs)
    for n_rows in (N_ROWS, 1):
        rows = {view: given.value[:n_rows] for view, given in written.inputs.items()}
        results = zip(names, session.run(names, rows), strict=True)
        for output, found in results:
            wanted = written.outputs[output].value[:n_rows]
            if wanted.dtype.kind != "f":
                continue
            worst = np.abs(found - wanted).max()
            if found.shape != wanted.shape or not worst <= TOLERANCE:
                raise ValueError(
                    f"{name} cannot be exported: the model computes other "
                    f"{output} than the estimator for {n_rows} sample rows, by "
                    f"{worst:.1e}. Rows at a tie may do that: pass X, sample rows "
                    f"of the target."
                )
