"""
A method of your own
====================

You have an idea for a loss. How many lines does it take until it stands in a table
beside the methods of this library, with the same splits and controls?
"""

# %%
# The idea
# --------
#
# Each feature of the network shall have the same mean and the same spread in both
# domains. That is one formula:
#
# .. math:: L_m = \lambda_0 \sum_j (\mu_j^s - \mu_j^t)^2 + (\sigma_j^s - \sigma_j^t)^2
#
# The *objective* says it in one method, which returns named terms; the cross-entropy of
# the source, and of labeled target rows, is added by the base class.
from torch import Tensor, nn

from skda.base import BaseOneStreamClassifier, OneStreamObjective, Pass, estimator
from skda.training import Objective
from skda.utils.ranges import NonNegative


class MomentObjective(OneStreamObjective):
    """Match the first two moments of every feature."""

    def adapt(
        self, module: nn.Module, source: Pass, target: Pass, progress: float
    ) -> dict[str, Tensor]:
        """Compare means and standard deviations."""
        s, t = source.features, target.features
        means = (s.mean(0) - t.mean(0)).square().sum()
        spreads = (s.std(0) - t.std(0)).square().sum()
        return {"moments": self.lambda0 * (means + spreads)}


# %%
# The estimator
# -------------
#
# A hyper-parameter is one line: its type is the range that ``fit`` checks. Everything
# else is there: validation, pipelines, searches, seeds, GPUs, early stopping.
@estimator
class MomentMatching(BaseOneStreamClassifier):
    """Match the moments of the features of both domains.

    Parameters
    ----------
    lambda0
        Weight of the moments.
    """

    lambda0: NonNegative = 1.0

    def make_objective(self) -> Objective:
        """Build what is minimized."""
        return MomentObjective(self.lambda0)


# %%
# Is it any good?
# ---------------
#
# A worse scanner, as in :ref:`sphx_glr_auto_gallery_plot_unsupervised.py`: noise, and
# light that falls off to the right. The controls are the same network without the idea
# and two published methods.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

import skda
from skda.inspection import ComparisonDisplay, TermsDisplay
from skda.unsupervised import DANN, DeepCORAL, SourceOnly

images, digits = load_digits(return_X_y=True)
images, rng = images / 16, np.random.default_rng(0)
source = images[:700], digits[:700]
light = np.tile(np.linspace(1, 0.4, 8), 8)
X = 1 - light * (1 - images[900:1500]) + rng.normal(scale=0.1, size=(600, 64))
y = digits[900:1500]

training = {"max_epochs": 15}
methods = {
    "SourceOnly": SourceOnly(**training),
    "DeepCORAL": DeepCORAL(**training),
    "DANN": DANN(**training),
    "MomentMatching": MomentMatching(**training),
}
table = skda.compare(methods, X, y, source=source, n_per_class=0, n_splits=3)
ComparisonDisplay.from_frame(table, name="Digits of another scanner, by three seeds")
plt.show()
