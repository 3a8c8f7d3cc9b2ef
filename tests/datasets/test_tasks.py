"""Tests of `skda.datasets.load_task`: two domains, no object in both."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skda.datasets import load_digits_domains, load_task


@pytest.fixture
def data_home(tmp_path):
    """A folder of files like the real ones, whose rows tell where they come from."""
    y = np.repeat([0, 1], 6)
    rows = np.arange(12)[:, None]
    views = {"X_fou": rows, "X_pix": rows + 100}
    np.savez(tmp_path / "mfeat_digits.npz", y=y, **views)
    languages = {f"X_view{k}": rows + 100 * k for k in range(5)}
    np.savez(tmp_path / "reuters_multilingual_1200.npz", y=y, **languages)
    for name, n_features in (("amazon_surf", 3), ("webcam_decaf6", 4)):
        path = tmp_path / f"office_caltech_{name}.npz"
        np.savez(path, X=np.ones((12, n_features)), y=y, classes=["bike", "mug"])
    return tmp_path


def test_digits_need_no_file(monkeypatch):
    monkeypatch.delenv("SKDA_DATA", raising=False)

    assert_array_equal(load_task("digits").X, load_digits_domains().X)


@pytest.mark.parametrize(
    "name",
    [
        "office_caltech",
        "amazon_surf:webcam_decaf6",
        "office_caltech_amazon_surf:office_caltech_webcam_decaf6",
    ],
)
def test_the_source_comes_first(data_home, name):
    task = load_task(name, data_home)

    assert task.source[0].shape == (12, 3)
    assert task.X.shape == (12, 4)
    assert_array_equal(task.y, task.source[1])


@pytest.mark.parametrize(
    ("name", "offsets"),
    [
        ("mfeat", (0, 100)),
        ("mfeat_pix:mfeat_fou", (100, 0)),
        ("mfeat_pix:mfeat_pix", (100, 100)),
        ("reuters", (0, 400)),
        ("reuters_2:reuters_1", (200, 100)),
    ],
)
def test_views_share_no_object(data_home, name, offsets):
    task = load_task(name, data_home)
    X_source, y_source = task.source
    objects = np.concatenate([X_source - offsets[0], task.X - offsets[1]]).ravel()

    assert sorted(objects) == list(range(12))
    assert_array_equal(np.bincount(task.y), [3, 3])
    assert_array_equal(np.bincount(y_source), [3, 3])
    assert_array_equal(task.y, (task.X.ravel() - offsets[1]) // 6)
    assert_array_equal(y_source, (X_source.ravel() - offsets[0]) // 6)


def test_views_are_split_in_one_way_only(data_home):
    one, two = (load_task("mfeat", data_home).X for _ in range(2))

    assert_array_equal(one, two)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("moons", "Expected digits, office_caltech, .* got 'moons'"),
        ("a:b:c", "SOURCE:TARGET, .* got 'a:b:c'"),
        ("mfeat_fou:amazon_surf", "with the same classes, got 'mfeat_fou' and"),
        ("amazon_surf:reuters_0", "with the same classes, got 'amazon_surf' and"),
        ("mfeat_fou:mfeat_fox", "one of mfeat_fou, mfeat_pix, got 'mfeat_fox'"),
        ("mfeat:mfeat_fou", "one of mfeat_fou, mfeat_pix, got 'mfeat'"),
        ("amazon:webcam_decaf6", "Expected features to be one of"),
        ("paris_surf:webcam_decaf6", "Expected domain to be one of"),
    ],
)
def test_tasks_that_are_none_are_errors(data_home, name, message):
    with pytest.raises(ValueError, match=message):
        load_task(name, data_home)


def test_a_missing_file_is_named(data_home):
    with pytest.raises(FileNotFoundError, match="office_caltech_dslr_surf"):
        load_task("amazon_surf:dslr_surf", data_home)
