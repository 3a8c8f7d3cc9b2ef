"""Paired views of every shape, type and scale."""

from dataclasses import dataclass, replace

import numpy as np
from hypothesis import strategies as st

from tests.properties.cases import (
    LABEL_CASES,
    WIDTHS,
    Data,
    DomainCase,
    LabelCase,
    domain_cases,
    make_domain,
    mostly,
)
from tests.properties.mishaps import VIEW_MISHAPS


@dataclass(frozen=True)
class ViewCase:
    """The data of one fit of a retriever."""

    target: tuple[DomainCase, ...]
    source: tuple[DomainCase, ...] | None
    y: LabelCase
    y_source: LabelCase
    mishap: str
    seed: int


@st.composite
def view_cases(draw):
    """Describe paired views, with a source in most cases."""
    n_views = draw(mostly(2, [3, 1]))
    n_rows = draw(st.sampled_from([8, 30, 1, 2, 3, 70]))
    target = tuple(draw(domain_cases(WIDTHS, st.just(n_rows))) for _ in range(n_views))
    n_source = draw(st.sampled_from([30, 8, 1, 2]))
    source = tuple(
        draw(domain_cases(st.just(view.n_features), st.just(n_source)))
        for view in target
    )
    if not draw(st.sampled_from([True, True, False])):
        source = None
    y, y_source = draw(LABEL_CASES), draw(LABEL_CASES)
    if draw(mostly(True, [False])):  # labels of one kind, and known in the source
        y_source = replace(y, n_classes=2, known="all")
    mishap = draw(st.one_of(st.just("none"), mostly("none", VIEW_MISHAPS)))
    return ViewCase(target, source, y, y_source, mishap, draw(st.integers(0, 999)))


def build_views(case):
    """Make the views that a case describes; its source has other categories."""
    rng = np.random.default_rng(case.seed)
    if case.source is None:
        return Data(*_paired(case.target, case.y, rng), None, None)
    X, y = _paired(case.target, case.y, rng, first_class=2)
    data = Data(X, y, _paired(case.source, case.y_source, rng), None)
    return VIEW_MISHAPS.get(case.mishap, lambda data: data)(data)


def _paired(domains, labels, rng, first_class=0):
    seed = rng.integers(1000)
    views = {}
    for name, domain in zip("abc", domains, strict=False):
        # The labels of all views are drawn from one seed, hence the same.
        own = np.random.default_rng(seed)
        views[name], y = make_domain(domain, labels, own, first_class)
    return views, y


def toy_views():
    """Make harmless views, with other categories in the source."""
    rng = np.random.default_rng(0)
    codes = np.arange(16) % 4
    latent = rng.normal(scale=3, size=(4, 3))[codes]
    views = {
        name: latent @ rng.normal(size=(3, width)) + rng.normal(size=(16, width))
        for name, width in (("a", 5), ("b", 4))
    }
    known = codes < 2
    source = {name: X[known] for name, X in views.items()}, codes[known] + 10
    new = {name: X[~known] for name, X in views.items()}
    return Data(new, None, source, None)
