"""How a host writes its log."""

import logging

import pytest

from bitcart_core import logs


@pytest.mark.parametrize(
    ("level", "number"),
    [("DEBUG", logging.DEBUG), ("error", logging.ERROR), ("loud", logging.INFO), ("", logging.INFO)],
)
def test_a_log_level_nobody_knows_is_info(level, number):
    root = logging.getLogger()
    handlers, before = list(root.handlers), root.level
    try:
        root.handlers.clear()
        logs.configure(level)
        assert root.level == number
    finally:
        root.handlers[:] = handlers
        root.setLevel(before)
