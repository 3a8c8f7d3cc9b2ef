"""What is not exported, as the table of the documentation says.

After a change on purpose, write the table anew by
``python -m tests.export.test_refusals`` at the root of the repository.
"""

import re
import warnings
from pathlib import Path

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import OneHotEncoder, SplineTransformer
from sklearn.semi_supervised import LabelSpreading
from sklearn.svm import SVC
from torch import nn

import skda
from skda.baselines import TargetOnly
from skda.heterogeneous import GeoST
from skda.retrieval import GalleryIndex
from skda.unsupervised import CORAL, DANN

TABLE = Path(__file__).parents[2] / "docs" / "user_guide" / "not_exported.inc"
X = np.random.default_rng(0).normal(size=(12, 4))
Y = np.arange(12) % 2
SOURCE = {"source": (X[::-1], Y[::-1])}
TEXTS = [["red fox", "blue owl"][y] for y in Y]
WORDS = np.array(TEXTS, dtype=object)[:, None]
#: What the table calls it, the estimator, its samples, and what else its fit takes.
REFUSED = {
    "``TargetOnly(SVC())``, or another classifier without probabilities": (
        TargetOnly(SVC()),
        X,
        {},
    ),
    "``TargetOnly(LabelSpreading(), unlabeled='keep')``, which spreads anew": (
        TargetOnly(LabelSpreading(), unlabeled="keep"),
        X,
        {},
    ),
    "A transformer of texts": (
        GeoST(target_transformer=TfidfVectorizer()),
        TEXTS,
        SOURCE,
    ),
    "A transformer of categories that are no numbers": (
        GeoST(target_transformer=OneHotEncoder(sparse_output=False)),
        WORDS,
        SOURCE,
    ),
    "A transformer that skl2onnx does not know": (
        GeoST(target_transformer=SplineTransformer()),
        X,
        SOURCE,
    ),
    "Neighbors under another metric than Euclid's": (
        CORAL(KNeighborsClassifier(metric="chebyshev")),
        X,
        SOURCE,
    ),
    "A ``module`` with functions that nobody has said how to write": (
        DANN(module=lambda: nn.Sequential(nn.Linear(4, 4), nn.GroupNorm(2, 4))),
        X,
        SOURCE,
    ),
    "``GalleryIndex()``: export the retriever, and search by a vector database": (
        GalleryIndex(n_neighbors=1),
        X,
        {},
    ),
}


def _reason(estimator, samples, params):
    """Ask why an estimator is not exported."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = estimator.fit(samples, Y, **params)
        with pytest.raises(ValueError, match="cannot be exported: ") as caught:
            skda.export_onnx(fitted, "model.onnx", X=samples)
    said = str(caught.value).partition("cannot be exported: ")[2]
    said = said.partition(" skda.save stores")[0].rstrip(".")
    return re.sub(r"`([^`]*)`", r"\1", said).split("Please")[0].rstrip(" .")


def _table():
    """Write the table of what is refused, and why."""
    lines = [".. list-table::", "   :header-rows: 1", "   :widths: 45 55", ""]
    lines += ["   * - What", "     - What the error says"]
    for what, (estimator, samples, params) in REFUSED.items():
        lines += [f"   * - {what}", f"     - {_reason(estimator, samples, params)}"]
    return "\n".join(lines) + "\n"


def test_the_table_of_the_documentation_is_up_to_date():
    assert TABLE.read_text() == _table()


if __name__ == "__main__":
    TABLE.write_text(_table())
