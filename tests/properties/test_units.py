"""Units do not matter: a domain may be multiplied by any power of two."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from skda.base import BaseOneStreamClassifier
from tests.properties.estimators import (
    BUILDERS,
    CLASSIFIERS,
    RETRIEVERS,
    build_estimator,
    takes_pairs,
    toy_domains,
)
from tests.properties.invariants import quietly
from tests.properties.views import toy_views

EXPONENTS = st.integers(-100, 100)  # from 1e-30 to 1e30
#: What the user has put there is as sensitive to units as it is.
OWN = ("TargetOnly(LogisticRegression)", "SourceOnly(LogisticRegression)")


def _probabilities(name, target_exponent=0, source_exponent=0):
    X, y, (X_source, y_source), pairs = toy_domains(name)
    scales = 2.0**source_exponent, 2.0**target_exponent
    X, X_source = scales[1] * X, scales[0] * X_source
    given = {"source": (X_source, y_source)}
    if takes_pairs(name):
        given["pairs"] = tuple(
            scale * side for scale, side in zip(scales, pairs, strict=True)
        )
    return quietly(build_estimator(name).fit, X, y, **given).predict_proba(X)


def _similarities(name, exponents):
    views, y, (known, y_known), _ = toy_views()
    scales = dict(zip(views, (2.0**e for e in exponents), strict=True))
    views = {view: scales[view] * X for view, X in views.items()}
    known = {view: scales[view] * X for view, X in known.items()}
    fitted = quietly(build_estimator(name).fit, views, y, source=(known, y_known))
    a, b = (
        z / np.linalg.norm(z, axis=1)[:, None] for z in fitted.transform(views).values()
    )
    return a @ b.T


@pytest.mark.parametrize("name", [name for name in CLASSIFIERS if name not in OWN])
@given(target_exponent=EXPONENTS, source_exponent=EXPONENTS)
def test_units_of_a_domain_change_no_probability(
    name, target_exponent, source_exponent
):
    if issubclass(BUILDERS[name].func, BaseOneStreamClassifier) or name == "ISRA":
        # Both domains are standardized as one: what multiplies only one is a shift.
        source_exponent = target_exponent
    expected = _probabilities(name)
    p = _probabilities(name, target_exponent, source_exponent)

    np.testing.assert_allclose(p, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", RETRIEVERS)
@given(exponents=st.tuples(EXPONENTS, EXPONENTS))
def test_units_of_a_view_change_no_similarity(name, exponents):
    expected = _similarities(name, (0, 0))
    similarities = _similarities(name, exponents)

    np.testing.assert_allclose(similarities, expected, rtol=0, atol=1e-4)
