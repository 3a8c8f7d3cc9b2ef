"""AutoAdapter in every situation that a user may be in."""

import json
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix
from sklearn.base import clone
from sklearn.datasets import load_digits, make_blobs
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skda import AutoAdapter, source_gain
from skda.auto._trust import ALARM
from skda.datasets import label_few, make_heterogeneous_domains
from skda.heterogeneous import GeoST
from skda.model_selection import LabeledFold
from skda.unsupervised import SPL

BLOBS, NAMES = make_blobs(240, n_features=6, centers=3, random_state=0)
X, Y = BLOBS[:120] + 3.0, NAMES[:120]
SOURCE = BLOBS[120:], NAMES[120:]
FEW = label_few(Y, 3, random_state=0)
OTHER = make_heterogeneous_domains(random_state=0)


def _quietly(*args, **kwargs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return AutoAdapter(**kwargs.pop("params", {})).fit(*args, **kwargs)


@pytest.mark.parametrize(
    ("situation", "fit"),
    [
        ("few labels and no source", {"y": FEW}),
        ("few labels, a source of the same features", {"y": FEW, "source": SOURCE}),
        (
            "few labels, a source of other features",
            {"y": FEW, "source": (SOURCE[0][:, :4], SOURCE[1])},
        ),
        (
            "few labels, a source of other features and pairs",
            {
                "y": FEW,
                "source": (SOURCE[0][:, :4], SOURCE[1]),
                "pairs": BLOBS[:120, :4],
            },
        ),
        ("no labels, a source of the same features", {"source": SOURCE}),
        (
            "no labels, a source of other features and pairs",
            {"source": (SOURCE[0][:, :4], SOURCE[1]), "pairs": BLOBS[:120, :4]},
        ),
    ],
)
def test_it_sees_what_there_is(situation, fit):
    clf = _quietly(X, **fit)

    assert clf.report_["situation"] == situation
    assert (clf.transduction_ == Y).mean() > 0.9
    assert clf.score(X, Y) > 0.9
    assert sum(clf.weights_.values()) == pytest.approx(1)
    assert clf.weights_.keys() == clf.members_.keys() == clf.report_["members"].keys()
    np.testing.assert_allclose(clf.predict_proba(X).sum(axis=1), 1)
    np.testing.assert_allclose(clf.label_distributions_.sum(axis=1), 1)
    if "source" in fit:
        assert (
            np.mean(clf.predict(fit["source"][0], domain="source") == NAMES[120:]) > 0.9
        )


def test_the_report_is_plain_values_and_a_text():
    clf = _quietly(X, FEW, source=SOURCE)
    back = json.loads(json.dumps(clf.report_))

    assert back == clf.report_
    assert back["data"] == {
        "rows": 120,
        "labeled_rows": 9,
        "features": 6,
        "classes": 3,
        "source_rows": 120,
        "source_features": 6,
        "pairs": 0,
    }
    assert sum(back["class_shares"].values()) == pytest.approx(1)
    text = str(clf.report_)
    heaviest = sorted(clf.weights_, key=clf.weights_.get)[-3:]
    assert all(name in text for name in heaviest)
    assert max(map(len, text.splitlines())) <= 79


def test_it_is_deterministic():
    clf, again = (_quietly(X, FEW, source=SOURCE) for _ in range(2))

    np.testing.assert_array_equal(clf.label_distributions_, again.label_distributions_)
    np.testing.assert_array_equal(clf.predict_proba(X), again.predict_proba(X))


def test_a_source_of_the_same_features_helps_where_labels_are_few():
    digits, y = load_digits(return_X_y=True)
    shifted = 0.5 * digits[:600] + 3  # paler
    one = label_few(y[:600], 1, random_state=0)
    source = digits[600:1200], y[600:1200]
    alone = _quietly(shifted, one)
    helped = _quietly(shifted, one, source=source)

    hidden = one == -1
    accuracies = [
        np.mean(c.transduction_[hidden] == y[:600][hidden]) for c in (alone, helped)
    ]
    assert accuracies[1] > accuracies[0] + 0.05


def test_a_target_that_lacks_classes_is_not_spread_over_all():
    rows, y = make_blobs(600, n_features=8, centers=6, random_state=1)
    target, source = slice(0, 300), slice(300, 600)
    kept = y[target] < 3
    clf = _quietly(rows[target][kept] + 2.0, source=(rows[source], y[source]))

    assert np.isin(clf.transduction_, [0, 1, 2]).mean() > 0.95


def test_members_of_the_user_join():
    for y, name in ((FEW, "GeoST"), (None, "SPL")):
        member = {"GeoST": GeoST(), "SPL": SPL()}[name]
        clf = _quietly(X, y, source=SOURCE, params={"members": [member]})
        plain = _quietly(X, y, source=SOURCE)

        assert name in clf.weights_
        assert clf.weights_[name] > 0
        assert name not in plain.weights_
        assert not hasattr(member, "classes_")
        assert (
            np.abs(clf.label_distributions_ - plain.label_distributions_).max() > 1e-6
        )


def test_members_of_the_user_are_named_apart_and_may_know_no_domains():
    members = [LogisticRegression(), LogisticRegression(C=10)]
    clf = _quietly(X, FEW, params={"members": members})
    named = _quietly(X, FEW, params={"members": {"mine": members[0]}})

    assert {"LogisticRegression", "LogisticRegression-2"} <= clf.weights_.keys()
    assert "mine" in named.weights_


def test_members_are_judged_by_labels_that_they_have_not_seen():
    class Parrot(LogisticRegression):
        """Knows the labels that it was fitted to, and nothing else."""

        def fit(self, X, y):
            self.rows_, self.y_ = X, y
            self.classes_ = np.unique(y)
            return self

        def predict_proba(self, X):
            known = (X[:, None] == self.rows_[None]).all(axis=2)
            found = np.full((len(X), len(self.classes_)), 1 / len(self.classes_))
            for row, match in enumerate(known):
                if match.any():
                    found[row] = self.classes_ == self.y_[match.argmax()]
            return found

    clf = _quietly(X, FEW, params={"members": {"parrot": Parrot()}})

    assert clf.weights_["parrot"] < 1 / len(clf.weights_)


def test_strings_frames_and_sparse_rows():
    names = np.array(["low", "mid", "top"])
    frame = pd.DataFrame(X, columns=list("abcdef"))
    y = np.where(FEW == -1, None, names[FEW])
    source = pd.DataFrame(SOURCE[0], columns=list("abcdef")), names[SOURCE[1]]
    clf = _quietly(frame, y, source=source)
    arrays = _quietly(X, FEW, source=SOURCE)
    sparse = _quietly(csr_matrix(X), FEW, source=(csr_matrix(SOURCE[0]), SOURCE[1]))

    assert (clf.transduction_ == names[arrays.transduction_]).all()
    assert (clf.predict(frame) == names[Y]).mean() > 0.9
    np.testing.assert_array_equal(sparse.transduction_, arrays.transduction_)


def test_columns_of_other_names_are_other_features():
    target = pd.DataFrame(X, columns=list("abcdef"))
    source = pd.DataFrame(SOURCE[0], columns=list("uvwxyz"))
    clf = _quietly(target, FEW, source=(source, SOURCE[1]))
    told = _quietly(
        target, FEW, source=(source, SOURCE[1]), params={"same_features": True}
    )

    assert "other features" in clf.report_["situation"]
    assert "the same features" in told.report_["situation"]


def test_texts_go_through_a_shared_transformer():
    words = {0: "goal team match", 1: "vote party law", 2: "bank market price"}
    rng = np.random.default_rng(0)
    texts = [
        " ".join(rng.choice(words[k].split(), 6)) + f" extra{i % 7}"
        for i, k in enumerate(NAMES)
    ]
    clf = _quietly(
        texts[:120],
        source=(texts[120:], SOURCE[1]),
        params={"shared_transformer": TfidfVectorizer()},
    )

    assert (clf.transduction_ == Y).mean() > 0.95
    assert clf.predict(["goal goal team match"]).tolist() == [0]


@pytest.mark.filterwarnings("ignore::skda.utils.warnings.NoSourceWarning")
def test_pipelines_searches_and_folds():
    pipe = make_pipeline(StandardScaler(), AutoAdapter())
    folds = LabeledFold(3)
    scores = cross_val_score(pipe, X, np.where(np.arange(120) % 2, Y, -1), cv=folds)

    assert scores.mean() > 0.9
    assert clone(AutoAdapter(members=[SPL()])).members[0].get_params()


@pytest.mark.filterwarnings("ignore:AutoAdapter expects:UserWarning")
def test_the_worth_of_a_source():
    table = source_gain(AutoAdapter(), X, Y, source=SOURCE, n_splits=2, n_per_class=1)

    assert table.shape[0] == 5


def test_what_cannot_be_learned_is_an_error():
    narrow = SOURCE[0][:, :4], SOURCE[1]
    one = np.full(120, -1)
    one[0] = Y[0]
    cases = [
        ({"source": narrow}, "labels of the target, or pairs"),
        ({"y": one, "source": narrow}, "two classes or more.*1 labeled target rows"),
        ({"y": np.full(120, -1)}, "every label is missing"),
        ({}, "target y is None"),
        ({"source": narrow, "y": FEW, "params": {"same_features": True}}, "4 source"),
        ({"y": FEW, "params": {"members": [LogisticRegression]}}, "pass instances"),
        ({"y": FEW, "params": {"members": [StandardScaler()]}}, "predict_proba"),
    ]
    for fit, message in cases:
        error = TypeError if "members" in fit.get("params", {}) else ValueError
        with pytest.raises(error, match=message):
            _quietly(X, **fit)


def test_little_is_not_too_little():
    one = np.full(120, -1)
    one[0] = Y[0]
    of_one = SOURCE[1] == 0
    one_class = SOURCE[0][of_one], SOURCE[1][of_one]
    constant = np.where(np.arange(6) == 2, 1.0, X)
    fits = {
        "one labeled row beside a source": (X, one, SOURCE),
        "a source of one class": (X, FEW, one_class),
        "a feature that is constant in the target": (constant, None, SOURCE),
        "all rows equal": (np.ones_like(X), FEW, SOURCE),
        "all rows equal, no label": (np.ones_like(X), None, SOURCE),
        "two rows": (X[:2], None, SOURCE),
        "more classes than labeled rows": (X, np.where(FEW == 2, -1, FEW), SOURCE),
    }
    for name, (rows, y, source) in fits.items():
        clf = _quietly(rows, y, source=source)

        assert np.isfinite(clf.predict_proba(rows)).all(), name
        assert len(clf.transduction_) == len(rows), name


def test_a_single_class_is_predicted():
    clf = _quietly(X, np.ones(120, dtype=int))

    assert (clf.predict(X) == 1).all()


@pytest.mark.filterwarnings("ignore::skda.utils.warnings.NoSourceWarning")
def test_nothing_is_expected_of_unlabeled_rows_where_there_are_none(monkeypatch):
    monkeypatch.setitem(ALARM, "few labels", 0.0)
    alarmed = AutoAdapter().fit(X, Y).report_["warnings"]

    assert not alarmed
    with pytest.warns(UserWarning, match="AutoAdapter expects"):
        AutoAdapter().fit(X, FEW)
