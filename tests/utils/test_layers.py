"""Tests of `skda.utils.validation.check_layers`."""

import numpy as np
import pytest

from skda.utils.validation import check_layers


def test_widths_come_back_as_a_list():
    assert check_layers((3, np.int64(2))) == [3, 2]


@pytest.mark.parametrize("sizes", [(), (0,), (-3,), (2.5,), ("a",)])
def test_what_is_no_width_is_an_error(sizes):
    with pytest.raises(ValueError, match="layers must have one layer at least"):
        check_layers(sizes, "layers")
