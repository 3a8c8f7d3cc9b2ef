"""Tests of `skda.datasets.load_task`: two domains, no object in both."""

import os
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skda.datasets import load_digits_domains, load_task
from skda.datasets._digits import _orientation_histograms

#: Tasks whose domains have the same features, and their files.
FILES_OF_TASKS = {
    "reviews_books:reviews_dvd": ("amazon_review400_books", "amazon_review400_dvd"),
    "reviews_elec:reviews_kitchen": (
        "amazon_review400_elec",
        "amazon_review400_kitchen",
    ),
    "pacs_photo:pacs_sketch": ("pacs_photo_squeezenet", "pacs_sketch_squeezenet"),
    "pacs_art_painting:pacs_cartoon": (
        "pacs_art_painting_squeezenet",
        "pacs_cartoon_squeezenet",
    ),
    "mnist:usps": ("digits_mnist256", "digits_usps256"),
    "coil1:coil2": ("coil20_coil1", "coil20_coil2"),
}


@pytest.fixture
def data_home(tmp_path):
    """A folder of files like the real ones, whose rows tell where they come from."""
    y = np.repeat([0, 1], 6)
    rows = np.arange(12)[:, None]
    views = {"X_fou": rows, "X_pix": rows + 100}
    np.savez(tmp_path / "mfeat_digits.npz", y=y, **views)
    languages = {f"X_view{k}": rows + 100 * k for k in range(5)}
    np.savez(tmp_path / "reuters_multilingual_1200.npz", y=y, **languages)
    articles = {"text": rows, "image": rows + 100, "text_deep": rows + 200}
    np.savez(tmp_path / "wikipedia.npz", y=y, test=y == 1, classes=["a"], **articles)
    for name, n_features in (("amazon_surf", 3), ("webcam_decaf6", 4)):
        path = tmp_path / f"office_caltech_{name}.npz"
        np.savez(path, X=np.ones((12, n_features)), y=y, classes=["bike", "mug"])
    for k, files in enumerate(FILES_OF_TASKS.values()):
        for side, name in enumerate(files):
            X = np.full((12, 3), 10 * k + side, dtype="float16")
            np.savez(tmp_path / f"{name}.npz", X=X, y=np.repeat([0, 1, 2, 3], 3))
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
        ("wikipedia_text:wikipedia_image", (0, 100)),
        ("wikipedia_text_deep:wikipedia_text", (200, 0)),
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
        ("wikipedia", "got 'wikipedia'. For retrieval, .*load_pairs knows wikipedia, "),
        ("mfeat:fou-pix", "got 'mfeat:fou-pix'. For retrieval, .* as mfeat:fou-kar"),
        ("wikipedia_text:wikipedia_test", "one of wikipedia_image, .*_text_deep, got"),
        ("mfeat_fou:amazon_surf", "with the same classes, got 'mfeat_fou' and"),
        ("amazon_surf:reuters_0", "with the same classes, got 'amazon_surf' and"),
        ("mfeat_fou:mfeat_fox", "one of mfeat_fou, mfeat_pix, got 'mfeat_fox'"),
        ("mfeat:mfeat_fou", "one of mfeat_fou, mfeat_pix, got 'mfeat'"),
        ("amazon:webcam_decaf6", "Expected features to be one of"),
        ("paris_surf:webcam_decaf6", "mnist:usps or coil1:coil2, got 'paris_surf:web"),
        ("books:dvd", "such as .*, reviews_books:reviews_dvd, .* got 'books:dvd'"),
        ("reviews_toys:reviews_dvd", "reviews_books, .*_kitchen, got 'reviews_toys'"),
        ("coil1:coil_2", "Expected one of coil1, coil2, got 'coil_2'"),
        ("mnist:coil1", "with the same classes, got 'mnist' and 'coil1': take both"),
        ("amazon_surf:reviews_books", "with the same classes, got 'amazon_surf' and"),
        ("usps:usps", "two domains, got 'usps' twice, .*another of mnist, usps"),
    ],
)
def test_tasks_that_are_none_are_errors(data_home, name, message):
    with pytest.raises(ValueError, match=message):
        load_task(name, data_home)


@pytest.mark.parametrize("name", FILES_OF_TASKS)
def test_domains_of_the_same_features_are_files_of_their_own(data_home, name):
    task = load_task(name, data_home)
    files = [np.load(data_home / f"{file}.npz") for file in FILES_OF_TASKS[name]]

    for (X, y), file in zip([task.source, (task.X, task.y)], files, strict=True):
        assert_array_equal(X, file["X"])
        assert_array_equal(y, file["y"])
        assert X.dtype == np.float32  # half precision overflows in sums


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (
            {"X": np.ones((2, 3))},
            "the arrays 'X' and 'y' in .*usps256.npz, .* lacks 'y'",
        ),
        ({"X": np.ones((2, 3)), "y": [0]}, "digits_usps256.npz, which is damaged or"),
        ({"X": [[np.nan]], "y": [0]}, "digits_usps256.npz, which is damaged or .*NaN"),
        ({"X": [[0.0]], "y": [0]}, "as many features in mnist and usps, got 3 and 1"),
    ],
)
def test_damaged_domains_are_errors(data_home, arrays, message):
    np.savez(data_home / "digits_usps256.npz", **arrays)

    with pytest.raises(ValueError, match=message):
        load_task("mnist:usps", data_home)


def test_a_missing_domain_is_named(data_home):
    (data_home / "pacs_sketch_squeezenet.npz").unlink()

    with pytest.raises(FileNotFoundError, match=r"the file .*pacs_sketch_squeezenet"):
        load_task("pacs_photo:pacs_sketch", data_home)


def test_a_missing_file_is_named(data_home):
    with pytest.raises(FileNotFoundError, match="office_caltech_dslr_surf"):
        load_task("amazon_surf:dslr_surf", data_home)


# Pairs


VIEWS = {
    "mfeat": (0, 100),
    "reuters_2:reuters_1": (200, 100),
    "wikipedia_text:wikipedia_image": (0, 100),
}


@pytest.mark.parametrize("n_pairs", [1, 2, 5, 6])
@pytest.mark.parametrize("name", VIEWS)
def test_every_object_is_in_one_role(data_home, name, n_pairs):
    task = load_task(name, data_home, n_pairs=n_pairs)
    of_source, of_target = VIEWS[name]
    sides = task.pairs[0] - of_source, task.pairs[1] - of_target
    objects = np.concatenate([task.source[0] - of_source, task.X - of_target, sides[0]])

    assert_array_equal(sides[0], sides[1])
    assert len(sides[0]) == n_pairs
    assert sorted(objects.ravel()) == list(range(12))
    assert_array_equal(task.y, (task.X.ravel() - of_target) // 6)
    assert_array_equal(task.source[1], (task.source[0].ravel() - of_source) // 6)


def test_pairs_are_taken_from_domains_that_stay_as_they_are(data_home):
    whole, few, many = (load_task("mfeat", data_home, n_pairs=n) for n in (None, 3, 6))
    domains = [(task.source[0].ravel(), task.X.ravel()) for task in (whole, few, many)]

    assert "pairs" not in whole
    assert set(few.pairs[0].ravel()) < set(many.pairs[0].ravel())
    for before, after in pairwise(domains):
        for old, new in zip(before, after, strict=True):
            assert_array_equal(new, old[np.isin(old, new)])
    assert [len(rows) for pair in domains for rows in pair] == [6, 6, 4, 5, 3, 3]


def test_every_digit_is_in_one_role():
    whole, task = load_task("digits"), load_task("digits", n_pairs=101)
    pixels, gradients = task.pairs
    images = np.concatenate([task.source[0], pixels])
    histograms = np.concatenate([task.X, gradients])

    def rows(X):
        return {row.tobytes() for row in np.ascontiguousarray(X)}

    # 51 images of the source's half and 50 of the target's, in both features.
    assert (len(task.source[0]), len(task.X), len(pixels)) == (915 - 51, 882 - 50, 101)
    assert not rows(task.source[0]) & rows(pixels)
    assert not rows(task.X) & rows(gradients)
    assert len(rows(images) & rows(whole.source[0])) == 915
    assert rows(histograms) >= rows(whole.X)
    assert_array_equal(_orientation_histograms(pixels.reshape(-1, 8, 8)), gradients)


@pytest.mark.parametrize(
    ("name", "n_pairs", "message"),
    [
        (
            "office_caltech",
            5,
            "the same objects, such as .* n_pairs=5 with 'office",
        ),
        ("mnist:usps", 5, "the same objects, such as .* n_pairs=5 with 'mnist:usps'"),
        ("mfeat", 0, "n_pairs == 0, must be >= 1"),
        ("mfeat", 11, "of every class in both domains, got 11 of 12 samples: lower it"),
        ("digits", 1750, "got 1750 of 1797 samples: lower it"),
    ],
)
def test_pairs_that_a_task_cannot_spare_are_errors(data_home, name, n_pairs, message):
    with pytest.raises(ValueError, match=message):
        load_task(name, data_home, n_pairs=n_pairs)


@pytest.mark.parametrize(
    ("name", "file", "n_objects", "widths"),
    [
        ("mfeat_fac:mfeat_zer", "mfeat_digits", 2000, (216, 47)),
        ("reuters_0:reuters_4", "reuters_multilingual_1200", 1200, (2000, 2000)),
        ("wikipedia_text:wikipedia_image", "wikipedia", 2866, (10, 128)),
        ("wikipedia_text_deep:wikipedia_image_deep", "wikipedia", 2866, (100, 128)),
    ],
)
def test_real_views_have_pairs(name, file, n_objects, widths):
    if not Path(os.environ.get("SKDA_DATA", ""), f"{file}.npz").is_file():
        pytest.skip(f"needs {file}.npz in the folder that SKDA_DATA names")
    task = load_task(name, n_pairs=300)
    n_rows = len(task.source[0]), len(task.X)

    assert [side.shape for side in task.pairs] == [(300, width) for width in widths]
    assert sum(n_rows) + 300 == n_objects
    assert abs(n_rows[0] - n_rows[1]) <= 1
    assert_array_equal(np.unique(task.y), np.unique(task.source[1]))


# Targets that lack classes, or have them in other shares


@pytest.mark.parametrize("name", ["coil1:coil2", "digits"])
def test_the_target_keeps_the_first_classes(data_home, name):
    whole, task = (load_task(name, data_home, n_target_classes=n) for n in (None, 3))
    kept = whole.y < 3

    assert_array_equal(task.X, whole.X[kept])
    assert_array_equal(task.y, whole.y[kept])
    for rows, same in zip(whole.source, task.source, strict=True):
        assert_array_equal(rows, same)


def test_the_target_has_a_long_tail():
    whole, task = load_task("digits"), load_task("digits", long_tail=16)
    sizes = np.bincount(task.y)
    before = np.bincount(whole.y)

    assert sizes.max() / sizes.min() == pytest.approx(16, rel=0.1)
    steps = np.sort(sizes)[1:] / np.sort(sizes)[:-1]
    assert_allclose(steps, 16 ** (1 / 9), rtol=0.15)
    assert (sizes <= before).all()
    assert (sizes == before).any()  # no more rows than needed are left out
    assert list(sizes) != sorted(sizes, reverse=True)  # the order is random
    assert_array_equal(np.bincount(task.source[1]), np.bincount(whole.source[1]))
    rows = {row.tobytes(): digit for row, digit in zip(whole.X, whole.y, strict=True)}
    assert [rows[row.tobytes()] for row in task.X] == list(task.y)


def test_a_long_tail_depends_on_its_seed_only():
    first, again, other = (
        load_task("digits", long_tail=5, random_state=seed) for seed in (0, 0, 1)
    )

    assert_array_equal(first.X, again.X)
    assert_array_equal(first.X, load_task("digits", long_tail=5).X)
    assert list(np.bincount(first.y)) != list(np.bincount(other.y))


def test_a_long_tail_is_cut_from_the_classes_that_are_kept(data_home):
    options = {"n_target_classes": 3, "long_tail": 1000}
    task = load_task("mnist:usps", data_home, **options)

    assert sorted(np.bincount(task.y)) == [1, 1, 3]
    assert set(task.source[1]) == {0, 1, 2, 3}
    assert set(load_task("mnist:usps", data_home).y) == {0, 1, 2, 3}


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"n_target_classes": 10}, ValueError, "n_target_classes below the 10 classes"),
        ({"n_target_classes": 0}, ValueError, "n_target_classes == 0, must be >= 1"),
        ({"n_target_classes": 2.0}, TypeError, "n_target_classes must be an instance"),
        (
            {"n_target_classes": 2, "n_pairs": 9},
            ValueError,
            "either pairs or n_target_classes, got both",
        ),
        ({"long_tail": 0.5}, ValueError, "long_tail to be a number from 1 on.*got 0.5"),
        ({"long_tail": np.nan}, ValueError, "long_tail to be .*got nan"),
        ({"long_tail": np.inf}, ValueError, "long_tail to be .*got inf"),
        ({"long_tail": "10"}, TypeError, "long_tail must be an instance"),
    ],
)
def test_targets_that_cannot_be_made_are_errors(options, error, message):
    with pytest.raises(error, match=message):
        load_task("digits", **options)


@pytest.mark.parametrize(
    ("name", "n_rows", "n_features", "n_classes"),
    [
        ("reviews_books:reviews_dvd", (2000, 1999), 400, 2),
        ("reviews_elec:reviews_kitchen", (1998, 1999), 400, 2),
        ("pacs_photo:pacs_sketch", (1670, 1240), 512, 7),
        ("pacs_art_painting:pacs_cartoon", (2048, 2344), 512, 7),
        ("mnist:usps", (2000, 1800), 256, 10),
        ("coil1:coil2", (720, 720), 1024, 20),
    ],
)
def test_real_domains_have_the_same_features(name, n_rows, n_features, n_classes):
    for file in FILES_OF_TASKS[name]:
        if not Path(os.environ.get("SKDA_DATA", ""), f"{file}.npz").is_file():
            pytest.skip(f"needs {file}.npz in the folder that SKDA_DATA names")
    task = load_task(name)
    partial = load_task(name, n_target_classes=n_classes - 1, long_tail=3)

    assert (len(task.source[0]), len(task.X)) == n_rows
    assert task.source[0].shape[1] == task.X.shape[1] == n_features
    assert set(task.y) == set(task.source[1]) == set(range(n_classes))
    assert set(partial.y) == set(range(n_classes - 1))
