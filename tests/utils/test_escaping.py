"""Tests of `skda.utils.escaping`."""

import pytest
from matplotlib.figure import Figure

from skda.utils.escaping import escape_markdown, escape_mathtext, printable

NASTY = "a\nb\r\x1b[31m\u202e\u2028\udcff.csv"


@pytest.mark.parametrize("escape", [printable, escape_markdown, escape_mathtext])
def test_any_name_becomes_one_line_that_can_be_encoded(escape):
    text = escape(NASTY)

    assert text.isprintable()
    assert text.encode().startswith(b"a")


@pytest.mark.parametrize(
    "name", ["my_data_2.csv", "a.csv -> b-c.csv", "müß.csv", "a&b"]
)
@pytest.mark.parametrize("escape", [printable, escape_markdown, escape_mathtext])
def test_usual_names_stay_as_they_are(escape, name):
    assert escape(name) == name


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("<img src=x onerror=f()>.csv", "&lt;img src=x onerror=f()>.csv"),
        ("[x](javascript:f()).csv", r"\[x\](javascript:f()).csv"),
        ("**x** `y` | ~~z~~", r"\*\*x\*\* \`y\` \| \~\~z\~\~"),
        ("_x_ a_b __init__", r"\_x\_ a_b \_\_init\_\_"),
        ("&lt;b&gt; &#60; a&b", "&amp;lt;b&amp;gt; &amp;#60; a&b"),
        ("a\\b", r"a\\b"),
    ],
)
def test_markup_is_escaped(name, expected):
    assert escape_markdown(name) == expected


def test_a_figure_shows_dollars_and_no_formula():
    figure = Figure()
    title = figure.suptitle(escape_mathtext(r"$\frac{$ and $x$.csv"))
    figure.canvas.draw()

    assert title.get_text() == r"\$\frac{\$ and \$x\$.csv"
