"""Tests of the journal: what is finished stays, and is found by all it depends on."""

import functools
import json
import os
import signal
from concurrent.futures.process import BrokenProcessPool

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skda import compare, compare_retrieval, source_gain
from skda.comparison._journal import Journal, append_line, fingerprint
from skda.heterogeneous import STN
from skda.retrieval import DMTL


class Counter(ClassifierMixin, BaseEstimator):
    """Counts its fits, and predicts at random."""

    __metadata_request__fit = {"source": True}  # noqa: RUF012
    fits = []  # noqa: RUF012

    def __init__(self, shift=0, random_state=None):
        self.shift = shift
        self.random_state = random_state

    def fit(self, X, y=None, *, source=None):
        self.fits.append(self.random_state)
        self.classes_ = np.arange(3)
        return self

    def predict(self, X):
        rng = np.random.RandomState(self.random_state)
        return (rng.randint(3, size=len(X)) + self.shift) % 3


@pytest.fixture
def fits():
    """The seeds of all fits of a Counter."""
    Counter.fits.clear()
    return Counter.fits


@pytest.fixture
def data():
    """A target of three classes and a source."""
    rng = np.random.default_rng(0)
    y = np.arange(90) % 3
    return {"X": rng.normal(size=(90, 4)), "y": y, "source": (np.eye(3), [0, 1, 2])}


def test_finished_fits_are_not_done_again(data, fits, tmp_path):
    journal = tmp_path / "j"
    first = compare(Counter(), **data, journal=journal)
    again = compare(Counter(), **data, journal=journal)

    pd.testing.assert_frame_equal(again, first)  # to the last digit, seconds included
    assert len(fits) == 6
    assert len(journal.read_text().splitlines()) == 6


def test_only_what_differs_is_done(data, fits, tmp_path):
    others = {
        "splits": {"n_splits": 3},
        "labels": {"n_per_class": 4},
        "seed": {"random_state": 1},
        "data": {"X": data["X"] + 1},
        "truth": {"y": np.roll(data["y"], 1)},
        "parameters": {"estimators": Counter(shift=1)},
        "name": {"estimators": {"other": Counter()}},
        "source": {"source": (np.eye(3) + 1, [0, 1, 2])},
    }
    expected = dict.fromkeys(others, 4) | {"splits": 2, "name": 0, "source": 2}
    compare(Counter(), **data, n_splits=2, journal=tmp_path / "j")
    for what, change in others.items():
        path = tmp_path / what
        path.write_bytes((tmp_path / "j").read_bytes())
        fits.clear()
        given = {"estimators": Counter(), "n_splits": 2, **data} | change
        with_journal = compare(**given, journal=path)
        n_fits = len(fits)
        without = compare(**given)

        assert n_fits == expected[what], what
        assert with_journal["accuracies"].tolist() == without["accuracies"].tolist()


def test_gains_and_retrieval_keep_a_journal_too(data, fits, tmp_path):
    gain = tmp_path / "gain"
    tables = [source_gain(Counter(), **data, n_splits=2, journal=gain) for _ in "ab"]
    rng = np.random.default_rng(0)
    y = np.arange(240) % 4
    views = {name: rng.normal(size=(240, 4)) + y[:, None] for name in ("a", "b")}
    path = tmp_path / "retrieval"
    found = [
        compare_retrieval(views, y, methods=["PLS"], n_splits=2, journal=path)
        for _ in "ab"
    ]

    assert len(fits) == 10
    pd.testing.assert_frame_equal(*tables)
    pd.testing.assert_frame_equal(*found)
    assert len(path.read_text().splitlines()) == 2 * 4


def test_jobs_leave_the_journal_of_a_loop(data, tmp_path):
    one, two = (
        compare([STN(max_epochs=1)], **data, n_splits=2, journal=tmp_path / n, n_jobs=j)
        for n, j in (("one", 1), ("two", 2))
    )
    keys = [set(Journal(tmp_path / name)._records) for name in ("one", "two")]

    assert keys[0] == keys[1]
    assert len(keys[0]) == 4
    assert one["accuracies"].tolist() == two["accuracies"].tolist()


@pytest.mark.slow
def test_a_killed_worker_takes_no_finished_fit_with_it(data, tmp_path):
    flag = tmp_path / "flag"

    class Fragile(ClassifierMixin, BaseEstimator):  # here, to be pickled by value
        def __init__(self, random_state=None):
            self.random_state = random_state

        def fit(self, X, y=None):
            (tmp_path / f"fit-{self.random_state}").touch()
            self.classes_ = [0, 1, 2]
            return self

        def predict(self, X):
            if len(list(tmp_path.glob("fit-*"))) > 3 and not flag.exists():
                flag.touch()
                os.kill(os.getpid(), signal.SIGKILL)
            return np.zeros(len(X), dtype=int)

    given = {"X": data["X"], "y": data["y"], "n_splits": 6, "journal": tmp_path / "j"}
    with pytest.raises(BrokenProcessPool) as caught:
        compare(Fragile(), **given, n_jobs=2)
    n_kept = len(Journal(tmp_path / "j"))
    table = compare(Fragile(), **given)

    assert n_kept >= 2
    assert "run fewer at the same time" in caught.value.__notes__[-1]
    assert len(table["accuracies"][0]) == len(Journal(tmp_path / "j")) == 6


def test_torn_lines_are_passed_over(tmp_path):
    path = tmp_path / "j"
    append_line(path, "a", {"x": 1})
    whole = path.read_bytes()
    for n_bytes in range(len(whole)):
        path.write_bytes(whole[:n_bytes])
        found = len(Journal(path))
        append_line(path, "b", {"x": 2.5})
        again = Journal(path)

        assert found == (n_bytes == len(whole) - 1)  # all but the end of the line
        assert again.find("b") == {"x": 2.5}
        assert len(again) == 1 + found


def test_numbers_come_back_digit_by_digit(tmp_path):
    values = np.random.default_rng(0).normal(size=9).tolist()
    append_line(tmp_path / "j", "a", {"x": values})

    assert Journal(tmp_path / "j").find("a") == {"x": values}


def test_other_files_are_no_journals(tmp_path):
    for content in (b"a,b\n1,2\n", b"{}\n", b'{"task": 1}', b"\x00\xff" * 9):
        (tmp_path / "other").write_bytes(content)
        with pytest.raises(ValueError, match=r"a journal of skda in .*, got another"):
            Journal(tmp_path / "other")

        assert (tmp_path / "other").read_bytes() == content


def test_fingerprints_tell_all_objects_apart():
    def make(number):
        return lambda: number

    different = [
        None,
        1,
        1.0,
        True,
        "1",
        [1],
        (1,),
        {"a": 1},
        {"a": 2},
        np.arange(3),
        np.arange(3.0),
        np.arange(3)[:, None],
        np.array(["a", None], dtype=object),
        csr_array(np.eye(3)),
        csr_array(np.eye(4)),
        pd.DataFrame({"a": [1]}),
        pd.DataFrame({"b": [1]}),
        SVC(),
        SVC(C=2),
        SVC,
        STN(),
        STN(max_epochs=3),
        DMTL(),
        make_pipeline(StandardScaler(), SVC()),
        make_pipeline(StandardScaler(), SVC(C=2)),
        len,
        lambda: 1,
        lambda: 2,
        make(1),
        make(2),
        functools.partial(np.sum, axis=0),
        functools.partial(np.sum, axis=1),
        np.random.RandomState(0),
        np.random.RandomState(1),
    ]
    prints = [fingerprint(value) for value in different]

    assert len(set(prints)) == len(different)
    assert fingerprint(1, 2) != fingerprint([1, 2])
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})
    assert fingerprint(STN(), np.arange(9)) == fingerprint(STN(), np.arange(9))
    assert json.dumps(prints)
