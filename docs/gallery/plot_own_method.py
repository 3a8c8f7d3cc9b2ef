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
# The predictions for a batch of the target shall be sure, and not all of one class.
# Both make the nuclear norm of the matrix :math:`P` of probabilities large, which is
# one formula (batch nuclear-norm maximization, CVPR 2020):
#
# .. math:: L_n = -\frac{\lambda_0}{n} \lVert P_t \rVert_*
#
# The *objective* says it in one method, which returns named terms; the cross-entropy of
# the source, and of labeled target rows, is added by the base class.
import torch
from torch import Tensor

from skda.base import BaseOneStreamClassifier, OneStreamObjective, Pass, estimator
from skda.training import Objective
from skda.utils.ranges import NonNegative


class NuclearNormObjective(OneStreamObjective):
    """Maximize the nuclear norm of the predictions for the target."""

    def adapt(
        self, module: object, source: Pass, target: Pass, progress: float
    ) -> dict[str, Tensor]:
        """Evaluate the norm."""
        P = target.logits.softmax(dim=1)
        norm = torch.linalg.matrix_norm(P, "nuc") / len(P)
        return {"nuclear_norm": -self.lambda0 * norm}


# %%
# The estimator
# -------------
#
# A hyper-parameter is one line: its type is the range that ``fit`` checks. Everything
# else is there: validation, pipelines, searches, seeds, GPUs, early stopping.
@estimator
class NuclearNorm(BaseOneStreamClassifier):
    """Make predictions for the target sure and varied.

    Parameters
    ----------
    lambda0
        Weight of the norm.
    """

    lambda0: NonNegative = 3.0

    def make_objective(self) -> Objective:
        """Build what is minimized."""
        return NuclearNormObjective(self.lambda0)


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
from skda.inspection import ComparisonDisplay
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
    "DANN": DANN(**training),
    "DeepCORAL": DeepCORAL(**training),
    "NuclearNorm": NuclearNorm(**training),
}
table = skda.compare(methods, X, y, source=source, n_per_class=0, n_splits=3)
ComparisonDisplay.from_frame(table, name="Digits of another scanner, by three seeds")
plt.show()

# %%
# What to read from it
# --------------------
#
# It is an ordinary estimator, and takes its place in the table. Its gain over
# ``SourceOnly``, which is the same network without the term, is what the idea is worth;
# DANN shows what others make of the same rows. How the term moves in the training:
from skda.inspection import TermsDisplay

clf = NuclearNorm(**training, random_state=0).fit(X, source=source)
TermsDisplay.from_estimator(clf)
plt.show()

# %%
# When not to
# -----------
#
# One data set proves nothing: :ref:`sphx_glr_auto_gallery_plot_critical_differences.py`
# ranks methods over many.
# Methods without a network, for retrieval or for pairs have other bases: see
# :ref:`adding_a_method`.
accuracy = table.set_index("method")["accuracy"]
assert accuracy["NuclearNorm"] > accuracy["SourceOnly"]
