"""Tests of `skda.source_gain`."""

import sys
import warnings
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from scipy import stats
from scipy.sparse import csr_array
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

import skda
from skda import compare, source_gain
from skda.baselines import TargetNet, TargetOnly
from skda.datasets import label_few, make_heterogeneous_domains
from skda.heterogeneous import STN
from skda.model_selection import LabeledFold
from skda.utils.labels import UNLABELED
from skda.utils.warnings import NoSourceWarning, warn_user

KINDS = ["real", "none", "renamed", "shuffled", "gaussian"]
NOISE = KINDS[2:]


class Recorder(ClassifierMixin, BaseEstimator):
    """An estimator that remembers every fit, and is right the more often."""

    __metadata_request__fit: ClassVar = {"source": True}
    fits: ClassVar[list] = []

    def __init__(self, random_state=None):
        self.random_state = random_state

    def fit(self, X, y=None, *, source=None):
        if source is None:
            warn_user("no source", NoSourceWarning)
        self.classes_ = np.unique(y)
        type(self).fits.append((self.random_state, np.array(y), source))
        return self

    def predict(self, X):
        # The better, the more of the source there is; different from split to split.
        *_, source = self.fits[-1]
        hits = len(self.fits) // 5 + (3 if source is None else len(source[0]))
        return np.where(np.arange(len(X)) < hits, X[:, 0], UNLABELED)


@pytest.fixture
def data():
    """A target that has its labels for a feature, and a source of four classes."""
    Recorder.fits.clear()
    y = np.repeat([0, 1, 2], 16)
    X_source = np.random.default_rng(0).uniform(5, 6, (8, 3))
    return y[:, None] * np.ones(2), y, (X_source, np.arange(8) % 4)


@pytest.fixture
def toy_data():
    """Two small domains that an adaptation method can be fitted to."""
    return make_heterogeneous_domains(60, 60, random_state=0)


def _stn(**params):
    return STN(**{"max_epochs": 2, "n_components": 4, "random_state": 0} | params)


# The table


def test_there_is_a_row_for_every_kind_of_source(data):
    X, y, source = data
    table = source_gain(Recorder(), X, y, source=source, n_splits=2)

    assert table["source"].tolist() == KINDS
    assert table["n_splits"].tolist() == [2] * 5
    assert (table["seconds"] >= 0).all()


def test_gains_are_paired_differences_to_no_source(data):
    X, y, source = data
    table = source_gain(Recorder(), X, y, source=source, n_splits=4).set_index("source")
    real, none = (np.array(table.loc[kind, "accuracies"]) for kind in KINDS[:2])
    interval = stats.ttest_rel(real, none).confidence_interval(0.95)

    row = table.loc["real"]
    assert len(real) == 4
    assert np.ptp(real - none) > 0
    assert row["accuracy"] == pytest.approx(real.mean())
    assert row["std"] == pytest.approx(real.std(ddof=1))
    assert row["gain"] == pytest.approx((real - none).mean())
    assert row["gain_se"] == pytest.approx((real - none).std(ddof=1) / 2)
    assert row["gain_low"] == pytest.approx(interval.low)
    assert row["gain_high"] == pytest.approx(interval.high)


def test_no_source_gains_nothing_over_itself(data):
    X, y, source = data
    table = source_gain(Recorder(), X, y, source=source, n_splits=2).set_index("source")

    columns = ["gain", "gain_se", "gain_low", "gain_high"]
    assert (table.loc["none", columns] == 0).all()


# What is fitted


def test_every_kind_meets_the_same_labels_and_seeds(data):
    X, y, source = data
    source_gain(Recorder(), X, y, source=source, n_splits=3, n_per_class=2)

    assert len(Recorder.fits) == 15
    for split in range(3):
        fits = Recorder.fits[5 * split : 5 * split + 5]
        seeds, labels, _ = zip(*fits, strict=True)
        assert len(set(seeds)) == 1
        assert_array_equal(labels[0], label_few(y, 2, random_state=seeds[0]))
        for other in labels[1:]:
            assert_array_equal(other, labels[0])
    assert len({seed for seed, *_ in Recorder.fits}) == 3


def test_the_sources_are_what_they_are_called(data):
    X, y, source = data
    source_gain(Recorder(), X, y, source=source, n_splits=2)
    sources = dict(zip(KINDS, [fit[2] for fit in Recorder.fits], strict=False))

    assert sources["real"] is source
    assert sources["none"] is None
    X_source, y_source = source
    for kind in ("renamed", "shuffled"):
        assert sources[kind][0] is X_source
    names = dict(zip(y_source, sources["renamed"][1], strict=True))
    assert_array_equal([names[name] for name in y_source], sources["renamed"][1])
    assert all(old != new for old, new in names.items())
    assert_array_equal(np.sort(sources["shuffled"][1]), np.sort(y_source))
    assert sources["gaussian"][0].shape == X_source.shape
    assert sources["gaussian"][0].max() < X_source.min()
    assert_array_equal(sources["gaussian"][1], y_source)


class PairRecorder(Recorder):
    """An estimator that takes pairs, and remembers them, too."""

    __metadata_request__fit: ClassVar = {"source": True, "pairs": True}
    pairs: ClassVar[list] = []

    def fit(self, X, y=None, *, source=None, pairs=None):
        type(self).pairs.append(pairs)
        return super().fit(X, y, source=source)


def _aligned(kind):
    pairs = np.full((48, 3), np.nan)
    pairs[::3] = 7.0
    if kind == "sparse":
        return csr_array(pairs)
    if kind == "frame":
        return pd.DataFrame(pairs).astype("Float64")
    return pairs


def _fits_with_pairs(data, pairs):
    PairRecorder.pairs.clear()
    PairRecorder.fits.clear()
    X, y, source = data
    source_gain(PairRecorder(), X, y, source=source, pairs=pairs, n_splits=2)
    return dict(zip(KINDS, PairRecorder.pairs, strict=False))


def test_pairs_go_with_every_source_and_with_none_there_are_none(data):
    pairs = np.ones((5, 3)), np.ones((5, 2))
    seen = _fits_with_pairs(data, pairs)
    side, target_side = seen["gaussian"]

    assert seen["none"] is None
    assert all(seen[kind] is pairs for kind in ("real", "renamed", "shuffled"))
    assert target_side is pairs[1]
    assert side.shape == (5, 3)
    assert len(np.unique(side)) == 15
    # Rows of the noise source would have labels to tell.
    assert not np.isin(side, PairRecorder.fits[4][2][0]).any()


@pytest.mark.parametrize("kind", ["array", "frame", "sparse"])
def test_noise_leaves_rows_without_a_partner_alone(data, kind):
    pairs = _aligned(kind)
    seen = _fits_with_pairs(data, pairs)

    assert seen["real"] is pairs
    assert_array_equal(np.isnan(seen["gaussian"]), np.isnan(_aligned("array")))
    assert not (seen["gaussian"] == 7.0).any()


def test_pairs_leave_the_noise_sources_as_they_are(data):
    X, y, source = data
    source_gain(Recorder(), X, y, source=source, n_splits=2)
    without = [fit[2] for fit in Recorder.fits]
    _fits_with_pairs(data, (np.ones((5, 3)), np.ones((5, 2))))

    for mine, other in zip(PairRecorder.fits, without, strict=True):
        if other is not None:
            assert_array_equal(mine[2][0], other[0])
            assert_array_equal(mine[2][1], other[1])


def test_pairs_that_nobody_takes_are_an_error(data):
    X, y, source = data
    pairs = np.ones((5, 3)), np.ones((5, 2))
    with pytest.raises(ValueError, match="whose fit takes pairs, got Recorder"):
        source_gain(Recorder(), X, y, source=source, pairs=pairs)


def test_noise_is_drawn_anew_in_every_split(data):
    X, y, source = data
    source_gain(Recorder(), X, y, source=source, n_splits=2)
    first, second = (fit[2][0] for fit in Recorder.fits[4::5])

    assert not np.array_equal(first, second)


def test_splits_and_accuracies_are_those_of_compare(toy_data):
    X, y, source = toy_data.X, toy_data.y_true, toy_data.source
    settings = {"source": source, "n_splits": 2, "random_state": 3}
    gain = source_gain(_stn(), X, y, **settings)
    compared = compare({"STN": _stn()}, X, y, **settings)

    assert gain["accuracies"][:2].tolist() == compared["accuracies"].tolist()


def test_the_same_seed_gives_the_same_table(toy_data):
    def table(random_state, n_splits=2):
        made = source_gain(
            _stn(random_state=None),
            toy_data.X,
            toy_data.y_true,
            source=toy_data.source,
            n_splits=n_splits,
            random_state=random_state,
        )
        return made.drop(columns="seconds")

    first = table(0)
    pd.testing.assert_frame_equal(table(0), first)
    assert not table(1).equals(first)
    longer = table(0, n_splits=3)["accuracies"]
    assert [accuracies[:2] for accuracies in longer] == first["accuracies"].tolist()


@pytest.mark.slow
def test_jobs_change_nothing_but_the_time(toy_data):
    X, y, source = toy_data.X, toy_data.y_true, toy_data.source
    one, two = (
        source_gain(_stn(), X, y, source=source, n_splits=2, n_jobs=n).drop(
            columns="seconds"
        )
        for n in (1, 2)
    )

    pd.testing.assert_frame_equal(two, one)


def test_rows_without_a_label_are_fitted_and_not_tested(data):
    X, y, source = data
    partly = np.where(np.arange(48) % 16 < 13, y, UNLABELED)
    table = source_gain(Recorder(), X, partly, source=source, n_splits=2, n_per_class=2)

    assert all(len(fit[1]) == 48 for fit in Recorder.fits)
    hidden = np.array(table["accuracies"].iloc[0]) * 33  # of 13 per class two are left
    assert_array_equal(hidden, hidden.round())


@pytest.mark.parametrize("kind", ["pipeline", "search"])
def test_pipelines_and_searches_hand_the_source_on(toy_data, kind):
    stn = _stn(max_epochs=20, lr=0.01)
    estimator = {
        "pipeline": make_pipeline(StandardScaler(), stn),
        "search": GridSearchCV(stn, {"beta": [0.001]}, cv=LabeledFold(2)),
    }[kind]
    X, y, source = toy_data.X, toy_data.y_true, toy_data.source
    table = source_gain(estimator, X, y, source=source, n_splits=2)

    assert table["accuracies"].nunique() > 1


# Warnings


def test_no_warning_where_no_source_is_on_purpose(data):
    X, y, source = data
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        source_gain(Recorder(), X, y, source=source, n_splits=2)

    assert not caught


def test_another_lack_of_a_source_is_still_warned_of(data):
    class Forgetful(Recorder):
        def fit(self, X, y=None, *, source=None):
            return super().fit(X, y)

    X, y, source = data
    with pytest.warns(NoSourceWarning):
        source_gain(Forgetful(), X, y, source=source, n_splits=2)


def test_progress_is_shown_on_demand(data, capsys):
    X, y, source = data
    source_gain(Recorder(), X, y, source=source, n_splits=2)
    silence = capsys.readouterr()
    source_gain(Recorder(), X, y, source=source, n_splits=2, verbose=1)

    assert silence.err == ""
    assert "/10" in capsys.readouterr().err


# Errors


def test_a_source_is_required(data):
    X, y, _ = data
    with pytest.raises(ValueError, match="whose worth is asked for, got None: pass"):
        source_gain(Recorder(), X, y, source=None)
    with pytest.raises(TypeError, match="a tuple of two, got array"):
        source_gain(Recorder(), X, y, source=X)
    with pytest.raises(ValueError, match="got an empty list: pass the source"):
        source_gain(Recorder(), X, y, source=[])


@pytest.mark.parametrize(
    "estimator",
    [
        TargetOnly(),
        TargetNet(),
        SVC(),
        make_pipeline(StandardScaler(), TargetOnly()),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_an_estimator_must_learn_from_the_source(data, estimator):
    X, y, source = data
    with pytest.raises(ValueError, match=r"(?s)learns from a source, got .* to which"):
        source_gain(estimator, X, y, source=source)


def test_one_split_is_too_few(data):
    X, y, source = data
    with pytest.raises(ValueError, match="n_splits to be at least 2, got 1: a single"):
        source_gain(Recorder(), X, y, source=source, n_splits=1)


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_says_which_source_it_happened_with(data, kind):
    class Fragile(Recorder):
        def fit(self, X, y=None, *, source=None):
            super().fit(X, y, source=source)
            if len(self.fits) > KINDS.index(kind):
                raise RuntimeError("broken")
            return self

    X, y, source = data
    with pytest.raises(RuntimeError, match="broken") as caught:
        source_gain(Fragile(), X, y, source=source)

    (note,) = caught.value.__notes__
    end = ", no source." if kind == "none" else f" with a {kind} source."
    assert note.endswith(f"Fragile{end}")


def test_without_pandas_nothing_is_fitted(data, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    X, y, source = data
    with pytest.raises(ModuleNotFoundError, match=r"source_gain returns a pandas.*\[c"):
        source_gain(Recorder(), X, y, source=source)

    assert not Recorder.fits


def test_it_is_a_public_name():
    assert "source_gain" in dir(skda)
