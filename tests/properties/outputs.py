"""What an estimator says of harmless data, whatever scikit-learn's settings."""

import numpy as np
from sklearn.preprocessing import StandardScaler

from tests.properties.estimators import (
    RETRIEVERS,
    build_estimator,
    takes_pairs,
    toy_domains,
)
from tests.properties.invariants import quietly
from tests.properties.views import toy_views


def outputs(name, *, scaled=False, convert=None, convert_labels=None):
    """Fit an estimator to a toy, and collect what it says, as arrays.

    With ``scaled``, transformers of the user come first; ``convert`` is what to make of
    every array of samples, ``convert_labels`` of all labels.
    """
    collect = _of_views if name in RETRIEVERS else _of_domains
    return collect(name, scaled, convert or np.asarray, convert_labels or np.asarray)


def _of_domains(name, scaled, convert, convert_labels):
    X, y, (X_source, y_source), pairs = toy_domains(name)
    X, X_source = convert(X), convert(X_source)
    y = convert_labels(y)
    given = {"source": (X_source, convert_labels(y_source))}
    if takes_pairs(name):
        given["pairs"] = tuple(map(convert, pairs))
    estimator = build_estimator(name)
    if scaled:
        roles = "source_transformer", "target_transformer"
        known = [role for role in roles if role in estimator.get_params(deep=False)]
        estimator.set_params(**{role: StandardScaler() for role in known})
    quietly(estimator.fit, X, y, **given)
    said = {"p": estimator.predict_proba(X), "labels": estimator.predict(X)}
    if getattr(estimator, "n_features_in_source_", None) is not None:
        said["p_source"] = estimator.predict_proba(X_source, domain="source")
    if hasattr(estimator, "transform"):
        said["z"] = estimator.transform(X)
    return {key: np.asarray(value) for key, value in said.items()}


def _of_views(name, scaled, convert, convert_labels):
    X, y, (known, y_known), _ = toy_views()
    new = {view: convert(rows) for view, rows in X.items()}
    known = {view: convert(rows) for view, rows in known.items()}
    source = known, convert_labels(y_known)
    estimator = build_estimator(name)
    if scaled:
        estimator.set_params(shared_transformer=StandardScaler())
    quietly(estimator.fit, new, y, source=source)
    embeddings = map(np.asarray, quietly(estimator.transform, new).values())
    a, b = (z / np.linalg.norm(z, axis=1)[:, None] for z in embeddings)
    return {"similarities": a @ b.T}  # axes may point the other way in both views
