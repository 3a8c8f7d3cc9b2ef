"""What must hold of every fit."""

import linecache
import traceback
import warnings
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import sklearn
import torch
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import check_is_fitted

import skda
from tests.properties.cases import Case, build
from tests.properties.estimators import build_estimator, takes_pairs, toy_domains
from tests.properties.views import build_views, toy_views

HOMES = tuple(str(Path(package.__file__).parent) for package in (skda, sklearn))
SHORTEST_MESSAGE = 20
CHIMERA = "fitted after an error"


class ViolationError(AssertionError):
    """Something does not hold; ``kind`` tells one way of it from the others."""

    def __init__(self, kind, detail=""):
        super().__init__(f"{kind}: {detail}" if detail else kind)
        self.kind = kind


def require(condition, kind, detail=""):
    if not condition:
        raise ViolationError(kind, detail)


def check_case(name, case):
    """Check every property of an estimator on one case, and say how the fit ended."""
    if not isinstance(case, Case):
        return check_retriever(build_estimator(name), build_views(case), toy_views())
    if name.startswith("TargetOnly") and case.mishap == "numbers as strings":
        # scikit-learn's classifier takes them in fit, and refuses them in predict.
        return "left to scikit-learn"
    data = build(case)
    if not takes_pairs(name):
        data = data._replace(pairs=None)
    return check_classifier(build_estimator(name), data, toy_domains(name))


def check_classifier(estimator, data, toy):
    """Check every property of a classifier on the data of one fit."""
    given = {"source": data.source}
    if data.pairs is not None:
        given["pairs"] = data.pairs
    of_toy = fit_parameters(toy, given)
    with untouched([data.X, data.y, *given.values()]):
        fitted, refitted, error = fit_twice(estimator, data, given, toy, of_toy)
        if error is not None:
            return describe(error)
        p = check_probabilities(fitted, data.X)
        again = quietly(refitted.predict_proba, data.X)
        same(p, again, "a refit is not a fresh fit")
        loaded = quietly(round_trip(fitted).predict_proba, data.X)
        # What is loaded may lie elsewhere in memory, and be summed in another order.
        same(p, loaded, "pickling changes probabilities", atol=1e-12)
        alone = quietly(fitted.predict_proba, first_row(data.X))
        same(p[:1], alone, "one row is not mapped as in a batch", atol=1e-4)
        check_labels(fitted, data)
        check_features(fitted, data.X)
        if data.source is not None and fitted_with_source(fitted):
            check_probabilities(fitted, data.source[0], domain="source")
    return "fitted"


def check_retriever(estimator, data, toy):
    """Check every property of a retriever on the data of one fit."""
    views, y, source, _ = data
    given, of_toy = {"source": source}, {"source": toy.source}
    with untouched([views, y, source]):
        fitted, refitted, error = fit_twice(estimator, data, given, toy, of_toy)
        if error is not None:
            return describe(error)
        embedded = quietly(fitted.transform, views)
        again = quietly(refitted.transform, views)
        loaded = quietly(round_trip(fitted).transform, views)
        rows = {name: first_row(X) for name, X in views.items()}
        alone = quietly(fitted.transform, rows)
    check_classes(fitted)
    for name, z in embedded.items():
        require(np.isfinite(z).all(), "embeddings are not finite", name)
        same(z, again[name], "a refit is not a fresh fit")
        same(z, loaded[name], "pickling changes embeddings")
        size = np.abs(z).max(initial=1e-30)
        message = "one row is not mapped as in a batch"
        same(z[:1] / size, alone[name] / size, message, atol=1e-4)
    return "fitted"


@contextmanager
def untouched(data):
    """Check that neither the data nor the global generators change inside."""
    before = fingerprint(data), generators()
    yield
    require(before[0] == fingerprint(data), "the data changed")
    require(before[1] == generators(), "a global generator moved on")


def fit_twice(estimator, data, given, toy, given_toy):
    """Fit one copy, and another one after a fit to something else."""
    before = parameters(estimator)
    fitted, error = attempt(clone(estimator), data.X, data.y, given)
    refitted, _ = attempt(clone(estimator), toy.X, toy.y, given_toy)
    refitted, second_error = attempt(refitted, data.X, data.y, given)
    require(before == parameters(fitted), "the parameters changed")
    first, second = describe(error), describe(second_error)
    require(first == second, "a refit is not a fresh fit", f"{first} against {second}")
    if error is not None:
        require(not is_fitted(refitted), CHIMERA, first)
    return fitted, refitted, error


def attempt(estimator, X, y, given):
    """Fit, and keep the error if it is a clear one."""
    try:
        return quietly(estimator.fit, X, y, **given), None
    except Exception as error:  # noqa: BLE001 (looked at)
        require(is_clear(error), "an unclear error", describe(error, where=True))
        return estimator, error


def quietly(function, *args, **kwargs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function(*args, **kwargs)


def is_clear(error):
    """Say whether an error was raised on purpose, and in words."""
    frames = traceback.extract_tb(error.__traceback__)
    inner = [frame for frame in frames if frame.filename.startswith(HOMES)][-1]
    line = linecache.getline(inner.filename, inner.lineno).strip()
    # What scikit-learn's checks cannot make an array of, pandas or NumPy may refuse.
    checked = "sklearn/utils" in inner.filename
    on_purpose = inner is frames[-1] and line.startswith("raise")
    message = str(error)
    return (
        is_of_right_type(error)
        and (checked or on_purpose)
        and len(message) >= SHORTEST_MESSAGE
        and " " in message.strip()
    )


def is_of_right_type(error):
    """Say whether it is a ValueError or TypeError, and none from deep inside."""
    package = type(error).__module__.partition(".")[0]
    return type(error) in (ValueError, TypeError) or (
        isinstance(error, (ValueError, TypeError))
        and package in ("skda", "sklearn", "narwhals")
    )


def describe(error, where=False):
    """Say what went wrong, and where on wish."""
    if error is None:
        return None
    text = f"{type(error).__name__}: {str(error)[:300]}"
    if not where:
        return text
    frames = traceback.extract_tb(error.__traceback__)
    ours = [*[f for f in frames if "/skda/" in f.filename][-1:], frames[-1]]
    places = [f"{'/'.join(f.filename.split('/')[-2:])}:{f.lineno}" for f in ours]
    return f"{text} (at {' -> '.join(places)})"


def is_fitted(estimator):
    try:
        check_is_fitted(estimator)
    except NotFittedError:
        return False
    return True


def check_probabilities(estimator, X, **domain):
    """Check probabilities of rows that the fit has seen, and return them."""
    try:
        p = quietly(estimator.predict_proba, X, **domain)
        labels = quietly(estimator.predict, X, **domain)
    except Exception as error:
        kind = f"predict{'s no source' if domain else ''} fails after fit"
        raise ViolationError(kind, describe(error, where=True)) from error
    n_rows = X.shape[0] if hasattr(X, "shape") else len(X)
    require(p.shape == (n_rows, len(estimator.classes_)), "probabilities: shape")
    require(np.isfinite(p).all(), "probabilities are not finite")
    require((p >= 0).all(), "probabilities are negative", p.min())
    sums = p.sum(axis=1)
    require(np.allclose(sums, 1, atol=1e-4), "probabilities: sum", repr(sums[:3]))
    require(np.isin(labels, estimator.classes_).all(), "labels are not classes")
    return p


def check_labels(estimator, data):
    """Check that given labels were kept."""
    check_classes(estimator)
    transduction = getattr(estimator, "transduction_", None)
    if transduction is None or data.y is None:
        return
    y = data.y.to_list() if hasattr(data.y, "to_list") else data.y
    given = pd.Series(np.asarray(y, dtype=object).ravel())
    known = ~is_missing(given)
    kept = (given[known] == pd.Series(transduction, dtype=object)[known]).all()
    require(kept, "given labels are not kept in transduction_")


def check_classes(estimator):
    """Check that nothing that marks an unlabeled row is a class."""
    classes = pd.Series(estimator.classes_, dtype=object)
    require(not is_missing(classes).any(), "-1 is a class", str(estimator.classes_))


def is_missing(labels):
    return labels.isna() | labels.isin([-1, "-1"])


def check_features(estimator, X):
    """Check the rows that a classifier makes of rows, if it does."""
    if not hasattr(estimator, "transform"):
        return
    z = quietly(estimator.transform, X)
    require(np.isfinite(z).all(), "features are not finite")
    names = estimator.get_feature_names_out()
    require(len(names) == z.shape[1], "features have other names", f"{len(names)}")


def fitted_with_source(estimator):
    return getattr(estimator, "n_features_in_source_", None) is not None


def fit_parameters(toy, given):
    """Give the toy what the case gives, be it None."""
    everything = {"source": toy.source, "pairs": toy.pairs}
    absent = given["source"] is None
    return {name: None if absent else everything[name] for name in given}


def first_row(X):
    rows = X.tocsr() if sparse.issparse(X) else X
    return _safe_indexing(rows, [0])


def round_trip(estimator):
    file = BytesIO()
    joblib.dump(estimator, file)
    file.seek(0)
    return joblib.load(file)


def parameters(estimator):
    return repr(estimator.get_params())


def same(p, q, kind, atol=0.0):
    """Require two results to be the same ones."""
    require(p.shape == q.shape, kind, f"shapes {p.shape} and {q.shape}")
    close = np.array_equal(p, q) or np.allclose(p, q, rtol=0, atol=atol)
    require(close, kind, f"by {np.abs(p - q).max(initial=0):.2g}")


def generators():
    """Tell in what state the global generators are."""
    return joblib.hash(np.random.get_state()), bytes(torch.get_rng_state())  # noqa: NPY002


def fingerprint(data):
    """Tell data apart by every byte, not by what scipy or Pandas caches."""
    if isinstance(data, dict):
        return [(name, fingerprint(part)) for name, part in data.items()]
    if isinstance(data, (list, tuple)) and not _is_flat(data):
        return [fingerprint(part) for part in data]
    if sparse.issparse(data):
        rows = data.tocoo()
        return joblib.hash([data.format, data.dtype, data.data, *rows.coords])
    if hasattr(data, "iloc"):  # of which joblib would also hash what has been cached
        labels = [str(axis.tolist()) for axis in data.axes]
        return labels, repr(data.to_numpy(dtype=object).tolist())
    if isinstance(data, np.ndarray) and data.dtype != object:
        return data.dtype, data.strides, data.flags.writeable, data.tobytes()
    return (
        joblib.hash(data)
        if not hasattr(data, "to_arrow")
        else repr(data.to_list() if hasattr(data, "to_list") else data.rows())
    )


def _is_flat(data):
    return not any(
        hasattr(part, "shape") or isinstance(part, (list, tuple, dict)) for part in data
    )
