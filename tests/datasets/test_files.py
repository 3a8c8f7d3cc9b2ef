"""Tests of `skda.datasets.load_npz` and `skda.datasets.load_office_caltech`."""

import os
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import normalize, scale

from skda.datasets import load_npz, load_office_caltech

REAL_HOME = os.environ.get("SKDA_DATA")  # before the fixtures below change it
#: Rows of each class, as published for the four domains of Office+Caltech-10.
CLASS_COUNTS = {
    "amazon": [92, 82, 94, 99, 100, 100, 99, 100, 94, 98],
    "caltech": [151, 110, 100, 138, 85, 128, 133, 94, 87, 97],
    "webcam": [29, 21, 31, 27, 27, 30, 43, 30, 27, 30],
    "dslr": [12, 21, 12, 13, 10, 24, 22, 12, 8, 23],
}


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """Folder with two made-up files, which is where SKDA_DATA points."""
    monkeypatch.setenv("SKDA_DATA", str(tmp_path))
    np.savez(tmp_path / "views.npz", image=np.eye(3), text=np.ones((3, 2)), y=[0, 1, 1])
    np.savez(
        tmp_path / "office_caltech_dslr_surf.npz",
        X=np.array([[3, 0], [0, 200], [1, 1]], dtype=np.uint8),
        y=[1, 0, 1],
        classes=["backpack", "bike"],
    )
    return tmp_path


@pytest.fixture
def real(home, monkeypatch):
    """Ask for real files: skip the test if they are not at hand."""

    def require(*names):
        for name in names:
            if not REAL_HOME or not Path(REAL_HOME, f"{name}.npz").is_file():
                pytest.skip(f"needs {name}.npz in the folder that SKDA_DATA names")
        monkeypatch.setenv("SKDA_DATA", REAL_HOME)

    return require


def test_a_file_comes_as_it_is():
    data = load_npz("views")

    assert set(data) == {"image", "text", "y"}
    assert_array_equal(data.image, np.eye(3))
    assert_array_equal(data.y, [0, 1, 1])


def test_data_home_goes_before_the_environment_variable(home, monkeypatch):
    monkeypatch.setenv("SKDA_DATA", "nowhere")

    assert load_npz("views", data_home=home).y.shape == (3,)


def test_home_may_be_the_home_of_the_user(home, monkeypatch):
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))

    assert load_npz("views", data_home="~").y.shape == (3,)


@pytest.mark.parametrize("value", [None, ""])
def test_without_a_folder_the_error_says_how_to_give_one(monkeypatch, value):
    monkeypatch.delenv("SKDA_DATA")
    if value is not None:
        monkeypatch.setenv("SKDA_DATA", value)

    with pytest.raises(FileNotFoundError, match=r"holds toy.npz.*data_home.*SKDA_DATA"):
        load_npz("toy")


def test_a_missing_file_says_what_to_put_where_and_what_is_there(home):
    with pytest.raises(FileNotFoundError, match=r"put it there") as caught:
        load_npz("toy")

    assert str(home / "toy.npz") in str(caught.value)
    assert "office_caltech_dslr_surf, views." in str(caught.value)


def test_a_folder_without_any_file_has_none(home):
    with pytest.raises(FileNotFoundError, match=r"Files like it in that folder: none"):
        load_npz("toy", data_home=home / "nowhere")


def test_pickles_are_never_opened(home):
    np.savez(home / "pickle.npz", X=np.array([{}], dtype=object))

    with pytest.raises(ValueError, match="allow_pickle=False"):
        load_npz("pickle")


def test_office_caltech_comes_raw_and_in_order(home):
    data = load_office_caltech("dslr", "surf")

    assert_array_equal(data.data, [[3, 0], [0, 200], [1, 1]])
    assert data.data.dtype == np.uint8
    assert_array_equal(data.target, [1, 0, 1])
    assert_array_equal(data.target_names, ["backpack", "bike"])
    assert (data.domain, data.features) == ("dslr", "surf")
    assert "dslr, 3 rows" in data.DESCR
    assert "SURF" in data.DESCR
    assert data.filename == str(home / "office_caltech_dslr_surf.npz")


def test_office_caltech_may_come_as_two_arrays(home):
    X, y = load_office_caltech("dslr", "surf", return_X_y=True, data_home=home)

    assert_array_equal(X, [[3, 0], [0, 200], [1, 1]])
    assert_array_equal(y, [1, 0, 1])


@pytest.mark.parametrize(
    ("domain", "features", "message"),
    [
        ("amazn", "surf", "domain to be one of .'amazon', .*, got 'amazn'"),
        ("amazon", "SURF", "features to be one of .'surf', .*, got 'SURF'"),
    ],
)
def test_unknown_names_are_refused_with_the_choices(domain, features, message):
    with pytest.raises(ValueError, match=message):
        load_office_caltech(domain, features)


def test_a_missing_pair_tells_what_there_is_of_the_domain():
    with pytest.raises(FileNotFoundError) as caught:
        load_office_caltech("dslr", "googlenet")

    assert "office_caltech_dslr_googlenet.npz" in str(caught.value)
    assert str(caught.value).endswith("in that folder: office_caltech_dslr_surf.")


@pytest.mark.parametrize("domain", CLASS_COUNTS)
@pytest.mark.parametrize(
    ("features", "width", "dtype"), [("surf", 800, "uint8"), ("squeezenet", 512, "f4")]
)
def test_real_domains_have_the_published_sizes(real, domain, features, width, dtype):
    real(f"office_caltech_{domain}_{features}")
    data = load_office_caltech(domain, features)

    assert data.data.shape == (sum(CLASS_COUNTS[domain]), width)
    assert data.data.dtype == dtype
    assert_array_equal(np.bincount(data.target), CLASS_COUNTS[domain])
    assert list(data.target_names[[0, 9]]) == ["backpack", "projector"]


def test_real_views_of_a_domain_are_the_same_images_in_the_same_order(real):
    names = ("surf", "squeezenet")
    real(*(f"office_caltech_dslr_{name}" for name in names))
    similarities = []
    for name in names:
        X, y = load_office_caltech("dslr", name, return_X_y=True)
        rows = normalize(X[y == 9].astype(float))
        similarities.append((rows @ rows.T)[np.triu_indices(len(rows), 1)])

    assert np.corrcoef(similarities)[0, 1] > 0.2  # 0 in any other order


@pytest.mark.paper
def test_real_surf_transfers_as_published(real):
    real("office_caltech_webcam_surf", "office_caltech_dslr_surf")
    domains = {}
    for domain in ("webcam", "dslr"):
        X, y = load_office_caltech(domain, "surf", return_X_y=True)
        domains[domain] = scale(normalize(X.astype(float), norm="l1")), y

    accuracy = KNeighborsClassifier(1).fit(*domains["webcam"]).score(*domains["dslr"])

    assert round(100 * accuracy, 1) == 59.2  # NN of Long et al., ICCV 2013


def test_real_rows_of_pairs_are_aligned(real):
    real("wikipedia")
    data = load_npz("wikipedia")

    assert data.image.shape == (2866, 128)
    assert data.text.shape == (2866, 10)
    assert data.test.sum() == 693
