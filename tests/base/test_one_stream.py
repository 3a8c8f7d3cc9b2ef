"""Tests of `skda.base`: one network for rows, images and datasets."""

import pickle
from functools import partial

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import cross_val_score
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from torch import nn
from torch.utils.data import Dataset, IterableDataset, TensorDataset

from skda.model_selection import HideLabels
from skda.unsupervised import CDAN, DANN, MCC, DomainConfusion, SourceOnly, SymNets

METHODS = [SourceOnly, DomainConfusion, DANN, CDAN, SymNets, MCC]


def small_cnn(width=8, norm=nn.BatchNorm2d):
    """Build the smallest feature extractor of images that deserves the name."""
    return nn.Sequential(
        nn.Conv2d(3, width, 3, stride=2),
        norm(width),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(2),
        nn.Flatten(),
    )


def no_norm(width):
    return nn.Identity()


@pytest.fixture(scope="module")
def images():
    """Squares at one of three places; in the target they are darker."""
    rng = np.random.default_rng(0)

    def domain(light, n_rows):
        y = np.arange(n_rows) % 3
        X = rng.integers(0, 60, size=(n_rows, 3, 12, 12))
        for i, k in enumerate(y):
            X[i, k, 4 * k : 4 * k + 4] += light
        return X.astype(np.uint8), y

    source, (X, y) = domain(190, 90), domain(120, 60)
    return {"X": X, "y": y, "source": source}


@pytest.fixture
def make_clf():
    """Build a classifier of images that fits at once."""

    def make(cls=MCC, **params):
        defaults = {
            "module": small_cnn,
            "max_epochs": 4,
            "batch_size": 30,
            "random_state": 0,
            "device": "cpu",
        }
        return cls(**(defaults | params))

    return make


class Images(Dataset):
    """Images in a list, as a user would have them."""

    def __init__(self, X, y, transform=None):
        self.X, self.y, self.transform = X, y, transform
        self.n_loaded = 0

    def __len__(self):
        return len(self.X)

    def __getitem__(self, row):
        self.n_loaded += 1
        return self.X[row], self.y[row]


def _fit(clf, images, y=None):
    return clf.fit(images["X"], y, source=images["source"])


# Images


@pytest.mark.parametrize("cls", METHODS)
def test_images_are_learned_end_to_end(cls, make_clf, images):
    clf = _fit(make_clf(cls, max_epochs=25, lr=0.1, extractor_lr=1.0), images)

    assert clf.score(images["X"], images["y"]) > 0.6
    assert clf.predict_proba(images["X"]).shape == (60, 3)
    assert clf.transform(images["X"]).shape == (60, 32)
    assert clf.n_features_in_ == clf.n_features_in_source_ == 3 * 12 * 12


def test_bytes_stay_bytes_on_the_device(make_clf, images):
    dtypes = set()

    class Peeks(MCC):
        def _run(self, module, phases, domains, *args, **loading):
            dtypes.update(part.X.dtype for part in domains.whole[:2])
            super()._run(module, phases, domains, *args, **loading)

    make = partial(make_clf, max_epochs=1)
    clf = Peeks(**make().get_params())
    of_bytes = _fit(clf, images).predict_proba(images["X"])
    as_floats = {
        "X": images["X"] / 255.0,
        "source": (images["source"][0] / 255.0, images["source"][1]),
    }
    of_floats = _fit(make(), as_floats).predict_proba(images["X"] / 255.0)

    assert dtypes == {torch.uint8}
    assert_allclose(of_bytes, of_floats, rtol=1e-4, atol=1e-5)


def test_channels_may_come_last(make_clf, images):
    last = {
        "X": np.moveaxis(images["X"], 1, -1),
        "source": (np.moveaxis(images["source"][0], 1, -1), images["source"][1]),
    }
    first = _fit(make_clf(), images)
    clf = _fit(make_clf(), last)

    assert_array_equal(clf.predict_proba(last["X"]), first.predict_proba(images["X"]))


def test_tensors_are_arrays(make_clf, images):
    tensors = {
        "X": torch.from_numpy(images["X"]),
        "source": (torch.from_numpy(images["source"][0]), images["source"][1]),
    }

    assert_array_equal(
        _fit(make_clf(), tensors).predict_proba(tensors["X"]),
        _fit(make_clf(), images).predict_proba(images["X"]),
    )


def test_images_of_different_size(make_clf, images):
    X_source, y_source = images["source"]
    with pytest.raises(
        ValueError, match=r"got \(3, 10, 12\) and \(3, 12, 12\): resize the images"
    ):
        make_clf().fit(images["X"], source=(X_source[:, :, :10], y_source))
    clf = _fit(make_clf(), images)
    with pytest.raises(ValueError, match=r"shape \(3, 12, 6\), but MCC is expecting"):
        clf.predict(images["X"][..., :6])


def test_images_need_a_network_that_takes_them(images):
    with pytest.raises(ValueError, match="Found array with dim 4, but MCC takes rows"):
        _fit(MCC(), images)


@pytest.mark.parametrize(
    ("value", "flaw"), [(np.nan, "contains NaN"), (1e300, "contains .* too large for")]
)
def test_an_image_must_be_finite(make_clf, images, value, flaw):
    X = images["X"].astype(float)
    X[3, 1, 2, 2] = value
    with pytest.raises(ValueError, match=f"X_target {flaw}"):
        make_clf().fit(X, source=images["source"])


def test_images_go_through_transformers(make_clf, images):
    darker = FunctionTransformer(lambda X: X // 2)
    clf = _fit(make_clf(target_transformer=darker), images)
    by_hand = _fit(make_clf(), images | {"X": images["X"] // 2})

    assert_array_equal(
        clf.predict_proba(images["X"]), by_hand.predict_proba(images["X"] // 2)
    )


def test_images_can_be_cross_validated(make_clf, images):
    scores = cross_val_score(
        HideLabels(make_clf(max_epochs=1)),
        images["X"],
        images["y"],
        cv=3,
        params={"source": images["source"]},
    )

    assert scores.shape == (3,)


# The feature extractor


@pytest.mark.parametrize("module", [small_cnn(), lambda: 3], ids=["instance", "other"])
def test_a_factory_builds_a_network(make_clf, images, module):
    with pytest.raises(TypeError, match="function without arguments that builds an"):
        _fit(make_clf(module=module), images)


def test_a_factory_is_a_parameter_like_any_other(make_clf, images):
    clf = make_clf(module=partial(small_cnn, width=5))
    fitted = _fit(clone(clf), images)
    again = pickle.loads(pickle.dumps(fitted))  # noqa: S301 (our own)

    assert fitted.transform(images["X"]).shape == (60, 20)
    assert_array_equal(again.predict(images["X"]), fitted.predict(images["X"]))


def test_a_factory_may_take_rows(toy):
    X_source = np.hstack([toy.source[0], toy.source[0][:, :3]])
    clf = DANN(module=partial(nn.Linear, 9, 7), max_epochs=2, random_state=0)
    clf.fit(toy.X, source=(X_source, toy.source[1]))

    assert clf.transform(toy.X).shape == (300, 7)


def test_weights_of_the_user_are_where_training_starts(make_clf, images):
    pretrained = small_cnn()
    before = pretrained[0].weight.clone()

    def load():
        net = small_cnn()
        net.load_state_dict(pretrained.state_dict())
        return net

    frozen = _fit(make_clf(module=load, extractor_lr=0.0, weight_decay=0.0), images)
    tuned = _fit(make_clf(module=load, extractor_lr=0.1), images)

    assert torch.equal(frozen.net_.module_.extractor[0].weight, before)
    assert not torch.equal(tuned.net_.module_.extractor[0].weight, before)
    assert torch.equal(pretrained[0].weight, before)


@pytest.mark.parametrize("cls", METHODS)
def test_batch_norm_sees_one_domain_at_a_time(cls, make_clf, images):
    norms = []

    class Spy(nn.BatchNorm2d):
        def forward(self, X):
            if self.training:
                norms.append(len(X))
            return super().forward(X)

    module = partial(small_cnn, norm=Spy)
    _fit(make_clf(cls, module=module, max_epochs=1, batch_size=45), images)

    assert norms == [45, 45, 45, 45]  # not 90, 90


@pytest.mark.parametrize(
    ("n_target", "batch_size"), [(60, 1), (1, 30)], ids=["batch", "domain"]
)
def test_batch_norm_needs_two_rows(make_clf, images, n_target, batch_size):
    few = images | {"X": images["X"][:n_target]}
    with pytest.raises(ValueError, match="Batch norm needs 2 samples of a domain"):
        _fit(make_clf(batch_size=batch_size), few)

    without = partial(small_cnn, norm=no_norm)
    clf = make_clf(module=without, batch_size=batch_size, max_epochs=1)
    assert _fit(clf, few).n_iter_ == 1


def test_lower_precision_trains_close_to_full(make_clf, images):
    full, half = (
        _fit(make_clf(precision=precision), images).predict_proba(images["X"])
        for precision in ("float32", "bfloat16")
    )

    assert abs(full - half).max() > 0
    assert abs(full - half).mean() < 0.05


@pytest.mark.parametrize("cls", METHODS)
def test_lower_precision_suits_every_method(cls, make_clf, images):
    clf = _fit(make_clf(cls, precision="bfloat16", max_epochs=2), images)

    assert np.isfinite(clf.history_["train_loss"]).all()
    assert clf.net_.module_.extractor[0].weight.dtype == torch.float32


def test_warm_start_goes_on(make_clf, images):
    clf = _fit(make_clf(warm_start=True, max_epochs=8), images)
    first = clf.history_["source_risk"]
    _fit(clf, images)

    assert clf.history_["source_risk"][0] < first[0]


# Datasets


@pytest.mark.parametrize("cls", METHODS)
def test_a_dataset_is_as_good_as_an_array(cls, make_clf, images):
    source, target = Images(*images["source"]), Images(images["X"], images["y"])
    resident = _fit(make_clf(cls), images)
    loaded = make_clf(cls).fit(target, source=(source, None))

    assert_allclose(
        loaded.predict_proba(target), resident.predict_proba(images["X"]), atol=1e-6
    )
    assert_array_equal(loaded.transduction_, resident.transduction_)
    assert loaded.score(target) == resident.score(images["X"], images["y"])
    assert_allclose(loaded.predict_proba(images["X"]), loaded.predict_proba(target))


def test_labels_next_to_a_dataset_win(make_clf, images):
    X_source, y_source = images["source"]
    names = np.array(["ant", "bee", "cat"])
    clf = make_clf(max_epochs=1).fit(
        Images(images["X"], images["y"]),
        source=(Images(X_source, y_source), names[y_source]),
    )

    assert_array_equal(clf.classes_, names)


def test_the_labels_of_a_target_dataset_are_not_looked_at(make_clf, images):
    target = Images(images["X"], images["y"])
    clf = make_clf(max_epochs=1).fit(target, source=images["source"])
    told = make_clf(max_epochs=1).fit(target, images["y"], source=images["source"])

    assert "target_risk" not in clf.history_
    assert "target_risk" in told.history_


def test_samples_are_loaded_when_a_step_asks_for_them(make_clf, images):
    target = Images(images["X"], images["y"])
    make_clf(max_epochs=3).fit(target, source=images["source"])

    n_passes, n_for_shape, n_for_transduction = 1.5 * 3, 1, 60 + 1
    assert target.n_loaded <= 60 * n_passes + n_for_shape + n_for_transduction + 1


def test_training_and_evaluation_have_their_own_transform(make_clf, images):
    counts = {"train": 0, "eval": 0}

    def counting(name):
        def transform(x):
            counts[name] += 1
            return torch.from_numpy(x).float() / 255

        return transform

    clf = make_clf(
        max_epochs=2,
        train_transform=counting("train"),
        eval_transform=counting("eval"),
    )
    target = Images(images["X"], images["y"])
    clf.fit(target, source=(Images(*images["source"]), None))
    in_training = counts["train"]
    clf.predict(target)

    assert in_training == counts["train"] == 2 * (90 + 90)
    assert counts["eval"] >= 60 + 60  # the transduction and the prediction


def test_a_dataset_may_be_of_rows(toy):
    X_source = np.hstack([toy.source[0], toy.source[0][:, :3]])
    rows = [
        TensorDataset(torch.from_numpy(X), torch.from_numpy(y))
        for X, y in ((toy.X, toy.y_true), (X_source, toy.source[1]))
    ]
    clf, plain = (DANN(max_epochs=2, random_state=0) for _ in range(2))
    clf.fit(rows[0], source=(rows[1], None))
    plain.fit(toy.X, source=(X_source, toy.source[1]))

    assert_allclose(clf.predict_proba(toy.X), plain.predict_proba(toy.X), atol=1e-5)


def test_without_a_source_a_dataset_will_do(make_clf, images):
    y = np.where(np.arange(60) < 30, images["y"], -1)
    with pytest.warns(UserWarning, match="without a source"):
        clf = make_clf().fit(Images(images["X"], images["y"]), y)

    assert clf.history_["target_risk"].shape == (4,)


def test_workers_load_the_same(make_clf, images):
    target = Images(images["X"], images["y"])
    here, there = (
        make_clf(max_epochs=1, num_workers=n)
        .fit(target, source=images["source"])
        .predict_proba(images["X"])
        for n in (0, 1)
    )

    assert_array_equal(here, there)


@pytest.mark.parametrize("name", ["shared", "target", "source"])
def test_transformers_take_arrays(make_clf, images, name):
    clf = make_clf(**{f"{name}_transformer": StandardScaler()})
    with pytest.raises(ValueError, match=f"{name}_transformer takes arrays"):
        clf.fit(Images(images["X"], images["y"]), source=images["source"])


def test_transforms_take_samples_of_datasets(make_clf, images):
    with pytest.raises(ValueError, match="are for the samples of a torch Dataset, got"):
        _fit(make_clf(eval_transform=np.float32), images)


def test_a_dataset_has_a_length(make_clf, images):
    class Stream(IterableDataset):
        def __iter__(self):
            yield from ()

    with pytest.raises(TypeError, match=r"Expected a map-style Dataset.* got Stream"):
        make_clf().fit(Stream(), source=images["source"])


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("cls", METHODS)
def test_images_are_learned_on_a_gpu(cls, make_clf, images, precision):
    on_gpu = {"device": "cuda", "precision": precision}
    clf = _fit(make_clf(cls, max_epochs=25, lr=0.1, extractor_lr=1.0, **on_gpu), images)
    loaded = make_clf(cls, max_epochs=2, **on_gpu)
    target, source = Images(images["X"], images["y"]), Images(*images["source"])
    loaded.fit(target, source=(source, None))

    assert clf.score(images["X"], images["y"]) > 0.6
    assert np.isfinite(loaded.predict_proba(target)).all()
