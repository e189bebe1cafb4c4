"""When a delivery that failed is tried again."""

from datetime import timedelta

import pytest

from bitcart_core.attempts import RETRY_AFTER, retry_wait


@pytest.mark.parametrize(
    ("failed", "seconds"),
    [(1, 5), (2, 30), (3, 300), (4, 1800), (5, 7200), (6, 18_000), (7, 36_000), (8, 86_400), (9, 86_400)],
)
def test_each_failure_waits_longer_give_or_take_a_fifth(failed, seconds):
    assert retry_wait(failed, chance=0.5) == timedelta(seconds=seconds)
    assert retry_wait(failed, chance=0) == timedelta(seconds=seconds * 0.8)
    assert retry_wait(failed, chance=1) == timedelta(seconds=seconds * 1.2)
    assert timedelta(seconds=seconds * 0.8) <= retry_wait(failed) <= timedelta(seconds=seconds * 1.2)


def test_the_first_attempt_is_made_at_once_and_all_ten_span_nearly_three_days():
    assert RETRY_AFTER[0] == timedelta(0)
    assert len(RETRY_AFTER) == 10
    assert timedelta(days=2.5) < sum(RETRY_AFTER, timedelta()) < timedelta(days=3)


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [
        (0, 0),
        (17, 17),
        (0.5, 0.5),
        (-5, 0),
        (86_400, 86_400),
        (10**9, 86_400),
        (float("inf"), 86_400),
        (float("-inf"), 0),
    ],
)
def test_what_the_recipient_asks_for_is_obeyed_up_to_a_day(asked, seconds):
    assert retry_wait(1, asked) == timedelta(seconds=seconds)


def test_what_is_no_number_is_no_wish():
    assert retry_wait(3, float("nan"), chance=0.5) == timedelta(minutes=5)
