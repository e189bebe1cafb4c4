"""The one object that is passed around: what it opens, what it queues, and what it does without."""

import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from bitcart_core.cases import Push
from bitcart_core.errors import ConfigError
from bitcart_core.kernel import Kernel
from bitcart_core.settings import Settings


@pytest.fixture
def bare(tmp_path):
    """A kernel without plugins, database or Redis."""
    with Kernel(Settings(data_dir=tmp_path, database_url="", redis_url=""), plugins=[]) as kernel:
        yield kernel


def test_nothing_is_opened_before_it_is_used(bare: Kernel):
    assert not {"engine", "redis"} & set(vars(bare))


@pytest.mark.parametrize(
    ("part", "sentence"),
    [
        (
            "engine",
            "no database: set DATABASE_URL=postgresql://user:password@host/name, or run `bitcart up`, which brings one",
        ),
        ("redis", "no Redis: set REDIS_URL=redis://host:6379/0, or run `bitcart up`, which brings one"),
    ],
)
def test_what_is_missing_is_said_when_it_is_needed(bare: Kernel, part, sentence):
    with pytest.raises(ConfigError) as refused:
        getattr(bare, part)
    assert str(refused.value) == sentence


def test_without_redis_pages_are_not_told_and_jobs_are_left_to_the_sweep(kernel: Kernel, monkeypatch, caplog):
    monkeypatch.setitem(vars(kernel), "redis", Redis(port=1, retry=Retry(NoBackoff(), 0)))
    kernel.push([Push(invoice_id="i", message={"status": "paid"})])

    assert not kernel.enqueue("record", "record_due", "btc", "regtest")
    assert "could not push to open pages" in caplog.text
    assert "could not enqueue record_due" in caplog.text


def test_what_is_queued_is_kept_for_a_day_if_it_fails_and_not_at_all_if_it_does_not(kernel: Kernel):
    assert kernel.enqueue("record", "record_due", "btc", "regtest", timeout_seconds=7)
    [job] = kernel.queue("record").jobs

    assert (job.timeout, job.result_ttl, job.failure_ttl) == (7, 0, 86_400)


def test_a_closed_kernel_has_given_its_connections_back(kernel: Kernel):
    with kernel.engine.connect():
        pass
    kernel.close()

    assert kernel.engine.pool.checkedin() == 0
