"""Tests of `skda.utils.sharing`."""

from contextlib import contextmanager

import pytest

from skda.utils.sharing import SharedContext


def test_overlapping_blocks_are_inside_until_the_last_one_ends():
    events = []

    @contextmanager
    def note():
        events.append("in")
        yield
        events.append("out")

    shared = SharedContext(note)
    first, second = shared(), shared()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert events == ["in"]

    second.__exit__(None, None, None)
    with shared():
        pass

    assert events == ["in", "out"] * 2


def test_an_error_ends_a_block():
    open_blocks = set()

    @contextmanager
    def note():
        open_blocks.add(1)
        yield
        open_blocks.remove(1)

    shared = SharedContext(note)
    with pytest.raises(ZeroDivisionError), shared():
        raise ZeroDivisionError

    assert not open_blocks
