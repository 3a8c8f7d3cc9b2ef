"""Networks and layers that know of no method."""

from skda.modules.gradient_reversal import reverse_gradient
from skda.modules.initialization import draw_normal
from skda.modules.rotation import RotatedLinear
from skda.modules.two_stream import TwoStreamClassifier, unit_length

__all__ = [
    "RotatedLinear",
    "TwoStreamClassifier",
    "draw_normal",
    "reverse_gradient",
    "unit_length",
]
