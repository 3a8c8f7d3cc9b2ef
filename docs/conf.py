"""Sphinx configuration."""

from pathlib import Path

from sphinx.application import Sphinx

from skda import __version__

project = "skda"
author = "skda developers"
project_copyright = author
release = version = __version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.doctest",
    "sphinx.ext.mathjax",
    "sphinx.ext.viewcode",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "changelog.d", "gallery"]
templates_path = ["_templates"]

autodoc_typehints = "none"  # the docstrings say it, with shapes
numpydoc_show_class_members = False  # but the template of a class lists the methods

doctest_test_doctest_blocks = ""  # pytest runs the docstrings, the builder the guide
doctest_global_setup = """
import warnings
import torch
warnings.simplefilter("error")
torch.set_num_threads(1)  # as in the tests: these nets are tiny
"""

sphinx_gallery_conf = {
    "examples_dirs": "gallery",
    "gallery_dirs": "auto_gallery",
    "abort_on_example_error": True,
    "within_subsection_order": "FileNameSortKey",
    "download_all_examples": False,
    "min_reported_time": float("inf"),  # no durations: they are not ours to promise
    "show_memory": False,
    "show_signature": False,
    "write_computation_times": False,
    "remove_config_comments": True,
    "doc_module": "skda",
}

html_theme = "pydata_sphinx_theme"
html_title = f"skda {version}"
html_show_sourcelink = False
html_sidebars = {
    page: []
    for page in ("getting_started", "benchmarks", "adding_a_method", "changelog")
}
html_theme_options = {
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "secondary_sidebar_items": {"**": ["page-toc"], "benchmarks": []},
}

FRAGMENTS = Path(__file__).parent / "changelog.d"


def join_fragments(_app: Sphinx, docname: str, source: list[str]) -> None:
    """Put the news that no release has yet where the changelog asks for them."""
    if docname != "changelog":
        return
    news = []
    for kind in ("added", "changed", "fixed", "removed"):
        texts = [p.read_text().strip() for p in sorted(FRAGMENTS.glob(f"*.{kind}.md"))]
        items = ["* " + text.replace("\n", "\n  ") for text in texts]
        if items:
            news += [f"**{kind.capitalize()}**", *items]
    source[0] = source[0].replace("|fragments|", "\n\n".join(news))


def setup(app: Sphinx) -> None:
    """Connect the changelog."""
    app.connect("source-read", join_fragments)
