"""Several sources: which are used, what is refused, and that one is as a tuple."""

import json
import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from skda import AutoAdapter, source_gain
from skda.base._source_evidence import (
    Evidence,
    Opinion,
    by_agreement,
    by_geometry,
    by_labels,
    choose,
    join,
    weigh,
)
from skda.datasets import label_few, load_digits_domains, noise_source
from skda.heterogeneous import SSAN, GeoST, PairedRidgeTransfer
from skda.model_selection import LabeledFold
from skda.unsupervised import SPL

pytestmark = pytest.mark.filterwarnings("ignore:AutoAdapter expects:UserWarning")


def _digits():
    """Make two sources, the upper and the lower half of images, of a coarse target."""
    images, names = load_digits(n_class=6, return_X_y=True)
    images, names = images[:600].reshape(-1, 8, 8), names[:600]
    upper, lower = images[:, :4].reshape(-1, 32), images[:, 4:, :7].reshape(-1, 28)
    coarse = images[:, ::2, ::2].reshape(-1, 16)
    sources = [(upper[:200], names[:200]), (lower[:200], names[:200])]
    pairs = [(side[200:300], coarse[200:300]) for side in (upper, lower)]
    return coarse[300:], names[300:], sources, pairs


X, TRUE, SOURCES, PAIRS = _digits()
FEW = label_few(TRUE, 3, random_state=0)
RENAMED = noise_source(*SOURCES[0], "renamed", random_state=0)


def _given(estimator, pairs):
    return {} if isinstance(estimator, GeoST) else {"pairs": pairs}


def _fit(estimator, y, places, **params):
    """Fit with the sources at some places, of which the third is renamed."""
    sources, pairs = [*SOURCES, RENAMED], [*PAIRS, PAIRS[0]]
    return clone(estimator).fit(
        X,
        y,
        source=[sources[i] for i in places],
        **_given(estimator, [pairs[i] for i in places]),
        **params,
    )


ESTIMATORS = [GeoST(), PairedRidgeTransfer(), AutoAdapter()]
each_estimator = pytest.mark.parametrize(
    "estimator", ESTIMATORS, ids=lambda e: type(e).__name__
)


@each_estimator
def test_a_list_of_one_is_the_tuple_bit_by_bit(estimator):
    pair = clone(estimator).set_params(source_transformer=StandardScaler())
    alone = clone(estimator).set_params(source_transformer=[StandardScaler()])
    pair.fit(X, FEW, source=SOURCES[0], **_given(estimator, PAIRS[0]))
    alone.fit(X, FEW, source=[SOURCES[0]], **_given(estimator, [PAIRS[0]]))

    np.testing.assert_array_equal(alone.predict_proba(X), pair.predict_proba(X))
    np.testing.assert_array_equal(alone.transduction_, pair.transduction_)
    for fitted in (alone, pair):
        assert fitted.n_features_in_source_ == 32
        assert fitted.source_weights_.tolist() == [1.0]


@pytest.mark.parametrize("y", [None, FEW], ids=["no labels", "three labels"])
@pytest.mark.parametrize("estimator", ESTIMATORS[1:], ids=["ridge", "auto"])
def test_a_renamed_source_is_left_out_and_the_others_are_used(estimator, y):
    fitted = _fit(estimator, y, [0, 2, 1])

    assert fitted.source_weights_[1] == 0
    assert (fitted.source_weights_[[0, 2]] > 0.2).all()
    assert fitted.source_weights_.sum() == pytest.approx(1)
    assert [each["used"] for each in fitted.source_evidence_] == [True, False, True]


@pytest.mark.parametrize("y", [None, FEW], ids=["no labels", "three labels"])
def test_two_half_sources_are_better_than_either(y):
    accuracies = [
        np.mean(_fit(PairedRidgeTransfer(), y, places).transduction_ == TRUE)
        for places in ([0, 1], [0], [1])
    ]

    assert accuracies[0] > max(accuracies[1:]) + 0.02


def test_sources_of_the_same_features_need_neither_pairs_nor_labels():
    rng = np.random.RandomState(0)
    means = 4 * rng.standard_normal((3, 5))
    names = np.arange(150) % 3
    rows = [means[names] + rng.standard_normal((150, 5)) + i for i in range(3)]
    renamed = rows[2], (names + 1) % 3
    sources = [(rows[1], names), renamed, (rows[2], names)]

    fitted = AutoAdapter().fit(rows[0], source=sources)

    assert np.mean(fitted.transduction_ == names) > 0.9
    assert fitted.source_weights_[1] == 0
    assert json.loads(json.dumps(fitted.report_)) == fitted.report_
    assert fitted.report_["sources"][1]["judged_by"] == "agreement"
    assert "source[1] is left out" in " ".join(str(fitted.report_).split())


def test_without_any_source_of_use_the_target_stands_alone():
    with pytest.warns(UserWarning, match="GeoST uses none of 2 sources"):
        fitted = GeoST().fit(X, FEW, source=[RENAMED, RENAMED])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        alone = GeoST().fit(X, FEW)

    assert fitted.source_weights_.tolist() == [0, 0]
    np.testing.assert_array_equal(fitted.predict_proba(X), alone.predict_proba(X))


@pytest.mark.parametrize("estimator", [GeoST(), AutoAdapter()], ids=["geost", "auto"])
def test_one_label_per_class_tells_by_geometry_which_source_is_renamed(estimator):
    digits = load_digits_domains()
    renamed = noise_source(*digits.source, "renamed", random_state=1)
    y = label_few(digits.y, 1, random_state=0)

    fitted = estimator.fit(digits.X, y, source=[renamed, digits.source])

    assert fitted.source_weights_.tolist() == [0, 1]
    assert {each["judged_by"] for each in fitted.source_evidence_} == {"geometry"}


def test_three_classes_have_no_geometry_to_judge_by_so_that_all_sources_are_used():
    rows = TRUE < 3
    sources = [(S[y < 3], y[y < 3]) for S, y in SOURCES]
    fitted = GeoST().fit(X[rows], label_few(TRUE[rows], 1), source=sources)

    assert fitted.source_weights_.tolist() == [0.5, 0.5]
    assert {each["judged_by"] for each in fitted.source_evidence_} == {"nothing"}


def test_geometry_that_is_the_same_speaks_for_a_source_and_a_renamed_one_against():
    rows = np.random.RandomState(0).standard_normal((6, 3))
    cosines, names = np.corrcoef(rows), np.roll(np.arange(6), 2)
    everywhere = np.ones(6, dtype=bool)

    same = by_geometry(cosines, cosines, everywhere)
    renamed = by_geometry(cosines[np.ix_(names, names)], cosines, everywhere)

    assert same.used
    assert not renamed.used
    assert by_geometry(np.eye(6), cosines, everywhere).judged_by == "nothing"


@each_estimator
def test_several_sources_go_through_clone_and_pickle_and_forget_earlier_fits(estimator):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = _fit(estimator, FEW, [0, 1])
    copy = pickle.loads(pickle.dumps(fitted))  # noqa: S301

    np.testing.assert_array_equal(copy.predict_proba(X), fitted.predict_proba(X))
    assert fitted.n_features_in_source_ == [32, 28]
    assert fitted.predict_proba(X).sum(axis=1) == pytest.approx(1)
    assert not hasattr(clone(fitted), "source_weights_")
    fitted.fit(X, FEW, source=SOURCES[0], **_given(estimator, PAIRS[0]))
    assert not hasattr(fitted, "source_estimators_")
    assert fitted.predict(SOURCES[0][0], domain="source").shape == (200,)


@pytest.mark.parametrize("routing", [False, True])
def test_searches_and_cross_validation_leave_the_list_whole(routing):
    ridge, cv = PairedRidgeTransfer(), LabeledFold(3)
    grid = {"alpha": [1.0, 10.0]}
    fit_params = {"source": SOURCES, "pairs": PAIRS}
    with sklearn.config_context(enable_metadata_routing=routing):
        search = GridSearchCV(ridge, grid, cv=cv).fit(X, FEW, **fit_params)
        result = cross_validate(
            ridge, X, FEW, cv=cv, params=fit_params, return_estimator=True
        )

    assert len(search.best_estimator_.source_weights_) == 2
    assert [len(each.source_weights_) for each in result["estimator"]] == [2, 2, 2]


def test_a_pipeline_takes_several_sources():
    pipe = make_pipeline(MinMaxScaler((-1, 1)), GeoST())
    pipe.fit(X, TRUE, geost__source=SOURCES)

    assert pipe.score(X, TRUE) > 0.9
    assert pipe[-1].n_features_in_source_ == [32, 28]


def test_as_many_sources_as_rows_are_refused_as_cross_validation_would_cut_them():
    with pytest.raises(ValueError, match="more or fewer sources than target rows"):
        GeoST().fit(X[:2], TRUE[:2], source=SOURCES)


def test_each_source_may_have_its_own_transformer_and_frame():
    frames = [(pd.DataFrame(rows).add_prefix("p"), y) for rows, y in SOURCES]
    own = PairedRidgeTransfer(source_transformer=[StandardScaler(), None])
    pairs = [(pd.DataFrame(s).add_prefix("p"), t) for s, t in PAIRS]
    fitted = own.fit(X, FEW, source=frames, pairs=pairs)

    assert fitted.source_estimators_[0].source_transformer_.n_features_in_ == 32
    assert fitted.source_estimators_[1].source_transformer_ is None
    assert fitted.transform(X).shape == (len(X), 60)
    assert len(fitted.get_feature_names_out()) == 60


def test_nobody_knows_which_source_domain_means():
    fitted = _fit(PairedRidgeTransfer(), FEW, [0, 1])

    for method in (fitted.predict, fitted.predict_proba, fitted.transform):
        with pytest.raises(ValueError, match="cannot tell which one domain='source'"):
            method(SOURCES[0][0], domain="source")
    with pytest.raises(ValueError, match="domain must be 'target' or 'source'"):
        fitted.predict(X, domain="elsewhere")


@pytest.mark.filterwarnings("ignore:.*uses none of 2 sources:UserWarning")
def test_the_gain_by_several_sources():
    table = source_gain(
        PairedRidgeTransfer(), X, TRUE, source=SOURCES, pairs=PAIRS, n_splits=2
    ).set_index("source")
    one, same = (
        source_gain(PairedRidgeTransfer(), X, TRUE, source=s, pairs=p, n_splits=2)
        for s, p in ((SOURCES[0], PAIRS[0]), (SOURCES[:1], PAIRS[:1]))
    )

    assert table.gain["real"] > table.gain["renamed"]
    pd.testing.assert_frame_equal(
        one.drop(columns="seconds"), same.drop(columns="seconds")
    )


def _with_nan(source):
    rows = source[0].copy()
    rows[3, 2] = np.nan
    return rows, source[1]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ([], "empty list: pass source=None"),
        (tuple(SOURCES), r"several sources are a list, source=\["),
        ((*SOURCES, RENAMED), r"several sources are a list, source=\["),
        ([SOURCES[0], SOURCES[1][0]], r"Expected source\[1\]=\(X_source, y_source\)"),
        ([SOURCES[0], _with_nan(SOURCES[1])], r"In source\[1\]: .*contains NaN"),
        (
            [SOURCES[0], (SOURCES[1][0], TRUE[:5])],
            r"In source\[1\]: .*inconsistent numbers of samples",
        ),
        (
            [SOURCES[0], (SOURCES[1][0], SOURCES[1][1] + 10)],
            r"share classes with the labeled target rows; the classes of source\[1\]",
        ),
    ],
)
@each_estimator
def test_a_bad_list_is_refused(estimator, source, message):
    with pytest.raises((TypeError, ValueError), match=message):
        clone(estimator).fit(X, FEW, source=source, **_given(estimator, PAIRS))


def test_sources_of_no_common_class_are_refused_without_labels():
    strange = SOURCES[1][0], SOURCES[1][1] + 10

    with pytest.raises(ValueError, match="with the other sources, and no target row"):
        PairedRidgeTransfer().fit(X, source=[SOURCES[0], strange], pairs=PAIRS)


def test_errors_of_the_target_name_no_source():
    with pytest.raises(ValueError, match=r"^Input X contains NaN"):
        GeoST().fit(_with_nan((X, FEW))[0], FEW, source=SOURCES)


@pytest.mark.parametrize(
    ("params", "pairs", "source", "message"),
    [
        ({}, PAIRS[:1], SOURCES, "as many entries in pairs as sources, got 1 and 2"),
        ({}, PAIRS[0], SOURCES, "pairs beside a list of sources to be a list"),
        ({}, [PAIRS[0], None], SOURCES, r"In source\[1\]: .*without any: pass pairs"),
        (
            {"source_transformer": [StandardScaler()]},
            PAIRS,
            SOURCES,
            "as many entries in source_transformer as sources, got 1 and 2",
        ),
        (
            {"source_transformer": [StandardScaler()] * 2},
            PAIRS[0],
            SOURCES[0],
            "as many entries in source_transformer as sources, got 2 and 1",
        ),
    ],
)
def test_what_is_beside_a_list_must_be_as_long(params, pairs, source, message):
    ridge = PairedRidgeTransfer(**params)

    with pytest.raises((TypeError, ValueError), match=message):
        ridge.fit(X, FEW, source=source, pairs=pairs)


@pytest.mark.parametrize("estimator", [SSAN(), SPL()], ids=["SSAN", "SPL"])
def test_a_method_of_one_source_says_which_take_several(estimator):
    with pytest.raises(TypeError, match=r"got a list of 2: several are for skda\.Auto"):
        estimator.fit(X, FEW, source=SOURCES)


def test_labels_judge_a_source_by_its_renamed_self():
    knows = np.array([True, True, True])
    P = np.array([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1]])
    good = by_labels(Opinion(P, knows), np.array([0, 1]))
    bad = by_labels(Opinion(P, knows), np.array([1, 0]))

    assert good.gain == pytest.approx(np.log(8))
    assert good.used
    # The mean over the other classes has the one of probability .8.
    assert bad.gain == pytest.approx(np.log(0.1) - np.log(0.08) / 2)
    assert not bad.used


def test_a_class_that_a_source_lacks_speaks_neither_for_nor_against_it():
    knows = np.array([True, True, False])
    P = np.array([[0.8, 0.2, 0.0], [0.0, 1.0, 0.0], [0.5, 0.5, 0.0]])
    evidence = by_labels(Opinion(P, knows), np.array([0, 1, 2]))
    other = Evidence(True, 1.0, 0.1, "labels", np.array([0.8, 1.0, 0.9]))

    assert np.isnan(evidence.truth[2])
    np.testing.assert_allclose(weigh([evidence, other]), [0.5, 0.5])


def test_those_who_know_a_class_decide_on_it():
    narrow = Opinion(np.array([[0.6, 0.4, 0.0]]), np.array([True, True, False]))
    wide = Opinion(np.array([[0.2, 0.2, 0.6]]), np.array([True, True, True]))

    joined = join([narrow, wide], np.array([0.5, 0.5]))

    np.testing.assert_allclose(joined, [[0.4 / 1.3, 0.3 / 1.3, 0.6 / 1.3]])


def test_sources_that_agree_outvote_one_that_does_not():
    knows = np.ones(4, dtype=bool)
    codes = np.arange(40) % 4
    right = Opinion(np.eye(4)[codes], knows)
    noisy = Opinion(np.eye(4)[np.where(np.arange(40) < 8, 0, codes)], knows)
    renamed = Opinion(np.eye(4)[(codes + 1) % 4], knows)

    evidence = by_agreement([right, renamed, noisy])

    assert [each.used for each in evidence] == [True, False, True]
    assert weigh(evidence)[1] == 0


def test_where_two_contradict_each_other_the_closer_one_is_used():
    against = Evidence(False, -0.2, 0.1, "agreement")

    chosen = choose([against, against], [-0.9, -0.3])

    assert [each.used for each in chosen] == [False, True]
    np.testing.assert_array_equal(weigh(chosen), [0, 1])
