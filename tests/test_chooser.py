"""The map of methods names what there is, and leads where it says."""

import importlib.util
import re
from html import unescape
from pathlib import Path

import pytest

import skda.baselines
import skda.heterogeneous
import skda.partial
import skda.retrieval
import skda.unsupervised

DOCS = Path(__file__).parent.parent / "docs"
PUBLIC = {"AutoAdapter"}.union(
    skda.baselines.__all__,
    skda.heterogeneous.__all__,
    skda.partial.__all__,
    skda.retrieval.__all__,
    skda.unsupervised.__all__,
)


def _load():
    spec = importlib.util.spec_from_file_location("chooser", DOCS / "chooser.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


chooser = _load()
ANSWERS = [answer for question in chooser.QUESTIONS for answer in question.answers]


@pytest.mark.parametrize("page", sorted({answer.page for answer in ANSWERS}))
def test_every_link_of_the_map_leads_to_a_place_on_a_page(page):
    file, _, place = page.partition("#")
    text = (DOCS / "user_guide" / file.replace(".html", ".rst")).read_text()
    labels = re.findall(r"^\.\. _(\w+):$", text, re.MULTILINE)
    titles = re.findall(r"^(.+)\n(?:-+|=+)$", text, re.MULTILINE)
    places = {name.lower().replace("_", "-") for name in labels}
    places |= {re.sub(r"\W+", "-", title.lower()).strip("-") for title in titles}

    assert not place or place in places


def test_the_map_names_public_classes_only():
    named = {n for answer in ANSWERS for n in re.findall(r"\b[A-Z]\w+", answer.call)}

    assert named <= PUBLIC


def test_no_line_of_the_map_leaves_its_box():
    svg = chooser.draw()
    box = r'<rect class="(?:question|answer)" x="(\d+)" .*?width="(\d+)"'
    frames = [(int(x), int(x) + int(width)) for x, width in re.findall(box, svg)]
    lines = re.findall(r'<text x="(\d+)" [^>]*>(.*?)</text>', svg)
    plain = [(int(x), unescape(re.sub("<.*?>", "", line))) for x, line in lines]
    long = [(x, line) for x, line in plain if len(line) > len("yes")]
    ends = dict(frames)

    assert len(frames) == 2 * (len(chooser.QUESTIONS) + len(ANSWERS))
    for x, line in long:
        assert x + chooser.CHARACTER * len(line) <= ends[x - chooser.PAD]


def test_the_map_has_a_picture_for_wide_windows_and_one_for_narrow_ones():
    directive, wide, narrow = re.split(r"\n+ *", chooser.draw())

    assert directive == ".. raw:: html"
    assert 'class="chooser wide"' in wide
    assert 'class="chooser narrow"' in narrow
