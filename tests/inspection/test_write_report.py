"""Tests of the page of a comparison."""

import re
import warnings
from html.parser import HTMLParser

import matplotlib as mpl
import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.svm import SVC

from skda import compare, compare_retrieval
from skda.baselines import TargetOnly
from skda.datasets import make_heterogeneous_domains
from skda.heterogeneous import GeoST
from skda.inspection import write_report

mpl.use("Agg")

WARNING = "<script>alert('no')</script> & no more"
CLASSES = np.array(["<b>x & 'y'", '"quoted"', "z"], dtype=object)


class Warner(ClassifierMixin, BaseEstimator):
    """Warns, and predicts the first class."""

    def fit(self, X, y):
        warnings.warn(WARNING, stacklevel=2)
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[0])


class Page(HTMLParser):
    """What a browser makes of a page."""

    def __init__(self, path):
        super().__init__()
        self.tags, self.texts, self.links = [], [], []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [v for k, v in attrs if k in ("src", "href", "xlink:href")]

    def handle_data(self, data):
        self.texts.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.texts).split())


@pytest.fixture(scope="module")
def table():
    data = make_heterogeneous_domains(
        60, 90, n_classes=3, n_labeled_per_class=30, random_state=0
    )
    X_source, y_source = data.source
    methods = {"SVM & <i>": TargetOnly(SVC()), "$x$": GeoST()}
    with pytest.warns(UserWarning, match="alert"):
        return compare(
            methods | {"Warner": TargetOnly(Warner())},
            data.X,
            CLASSES[data.y_true],
            source=(X_source, CLASSES[y_source]),
            n_splits=2,
        )


def test_a_page_needs_no_other_file_and_shows_texts_as_they_are(table, tmp_path):
    write_report(table, tmp_path / "p.html", title="<a> & 'b'", command="skda <c>")
    page = Page(tmp_path / "p.html")

    assert all(link.startswith("#") for link in page.links)
    assert not {"script", "b", "i", "a", "link", "img"} - {"i"} & set(page.tags)
    for text in ("<a> & 'b'", "skda <c>", WARNING, *CLASSES, "SVM & <i>", "$x$"):
        assert text in page.text
    assert page.tags.count("svg") == 2  # for wide and for narrow windows
    assert "url(http" not in (tmp_path / "p.html").read_text()


def test_a_page_says_what_was_compared_on_and_what_the_source_is_worth(table, tmp_path):
    write_report(table, tmp_path / "p.html")
    text = Page(tmp_path / "p.html").text
    real, none = (
        100 * np.array(table.set_index(["method", "source"]).accuracies["$x$", kind])
        for kind in ("real", "none")
    )

    assert "target 90 30 3 9 1.0 : 1" in text
    assert "source 60 20 3 60 1.0 : 1" in text
    assert f"$x$ {real.mean():.1f} {none.mean():.1f}" in text
    assert f"{(real - none).mean():+.1f}" in text
    assert "n = 2 splits" in text
    assert "scikit-learn" in text


def test_the_best_method_is_bold(table, tmp_path):
    write_report(table, tmp_path / "p.html")
    best = f"{100 * table['accuracy'].max():.1f}"

    bold = re.findall("<strong>(.*?)</strong>", (tmp_path / "p.html").read_text())
    assert bold[0].startswith(best)


def test_the_same_table_makes_the_same_drawing(table, tmp_path):
    for name in "ab":
        write_report(table, tmp_path / name)
    drawn = [
        re.findall("<svg.*?</svg>", (tmp_path / name).read_text(), re.DOTALL)
        for name in "ab"
    ]

    assert drawn[0] == drawn[1]


def test_retrieval_has_a_page_too(tmp_path):
    rng = np.random.default_rng(0)
    y = np.arange(240) % 4
    latent = rng.normal(size=(4, 4))[y] + 0.3 * rng.normal(size=(240, 4))
    views = {name: latent @ rng.normal(size=(4, 6)) for name in ("image", "<text>")}
    retrieved = compare_retrieval(views, y, methods=["PLS", "RidgeCCA"], n_splits=2)
    write_report(retrieved, tmp_path / "p.html")
    text = Page(tmp_path / "p.html").text

    assert "<text> 240 6 4 1.0 : 1" in text
    assert "control without labels (RidgeCCA, new pairs alone)" in text
    assert "known and new categories" in text


def test_a_table_that_does_not_say_what_it_is_of_is_refused(table, tmp_path):
    bare = table.copy()
    bare.attrs = {}

    with pytest.raises(ValueError, match='whose attrs have "data"'):
        write_report(bare, tmp_path / "p.html")
    assert not (tmp_path / "p.html").exists()


def test_the_warnings_of_a_method_are_kept_and_shown(table):
    assert table.attrs["warnings"] == {"Warner": [WARNING]}
