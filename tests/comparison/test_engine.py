"""Tests of what all comparisons share."""

import tqdm.auto

from skda.comparison import _engine


def test_progress_takes_the_form_that_fits_where_it_is_shown():
    assert _engine.tqdm is tqdm.auto.tqdm
