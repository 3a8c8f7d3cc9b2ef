"""Tests of `benchmarks.partial_report`, on made-up results."""

import pytest

from benchmarks import partial_report
from benchmarks.partial import GROUPS, UNSEEN


def _run(group, task, method, *values):
    params = GROUPS[group].methods[method].get_params()
    return (group, task, method), {"values": list(values), "params": params}


@pytest.fixture
def show(monkeypatch):
    """Make the figures of ISRA of some runs."""

    def make(*runs):
        monkeypatch.setattr(partial_report, "results", lambda: dict(runs))
        parts = partial_report.isra_parts()
        return {part.name: part.make() for part in parts if not isinstance(part, str)}

    return make


def test_a_method_is_looked_up_in_its_group_before_that_of_the_same_data():
    task = UNSEEN[0]
    of_main, of_pacs = (
        _run(group, task, "SHOT", value) for group, value in (("main", 1), ("pacs", 0))
    )
    found = dict([of_main, of_pacs])

    assert partial_report.runs_of(found, "SHOT", [task], "pacs") == [of_pacs[1]]
    assert partial_report.runs_of(found, "SHOT", [task], "isra") == [of_main[1]]
    assert partial_report.runs_of(found, "SHOT", [task], "coil") == []


def test_figures_without_results_are_left_out(show):
    assert show() == {}
    assert show(_run("main", UNSEEN[0], "BA3US", 0.9)) == {}


def test_weights_are_a_map_of_the_means_of_the_tasks(show):
    figures = show(
        _run("main", UNSEEN[0], "BA3US with entropy", 0.5, 0.9),
        _run("main", UNSEEN[1], "BA3US with entropy", 0.7, 0.9),
        *(
            _run("isra_weights", task, f"ISRA, alpha={alpha}, beta={beta}", value)
            for alpha, beta in (("0.1", "0.3"), ("10", "0.3"))
            for task, value in zip(UNSEEN[:2], (0.4, 0.6), strict=True)
        ),
    )
    axes, bar = figures.pop("papers_isra_fig6_weights").axes
    ((image,), lines) = axes.get_images(), bar.get_lines()

    assert figures == {}
    assert image.get_array().shape == (1, 2)
    assert image.get_array().tolist() == [[pytest.approx(50), pytest.approx(50)]]
    alone = [line for line in lines if line.get_label() == "BA3US with entropy"]
    # The first seed alone.
    assert [line.get_ydata()[0] for line in alone] == [pytest.approx(60)]


def test_numbers_of_topics_have_a_line_for_every_attention(show):
    figures = show(
        *(
            _run("isra_topics", UNSEEN[0], f"ISRA, {attention}, {n} topics", 0.8)
            for attention in ("encoder", "receptor")
            for n in (4, 16)
        )
    )
    (axes,) = figures["papers_isra_fig6_topics"].axes

    assert {line.get_label() for line in axes.get_lines()} == {"encoder", "receptor"}


def test_a_backbone_has_bars_beside_those_with_isra(show):
    figures = show(
        *(_run("others", task, "A2KTStyle", 0.8, 0.9) for task in UNSEEN),
        *(_run("isra", task, "ISRA on A2KTStyle", 0.9, 0.9) for task in UNSEEN),
    )
    (axes,) = figures["papers_isra_fig2_a2ktstyle"].axes
    heights = [bar.get_height() for bar in axes.patches]

    assert heights == [pytest.approx(85)] * 4 + [pytest.approx(90)] * 4
