"""Receiving keys: checked by their coin before they are stored, and never shown by accident."""

import pytest

from bitcart_core import wallets
from bitcart_core.errors import CoinUnreachable, InputError
from bitcart_core.models import Wallet


def wallet(**fields):
    return Wallet(**{"user_id": "u", "name": "Till", "coin": "btc", "network": "", "key": "xpub1"} | fields)


def test_a_good_key_gets_the_coin_and_network_it_is_for(kernel):
    checked = wallet(coin=" BTC ")
    wallets.check(kernel.registry, checked)

    assert (checked.coin, checked.network) == ("btc", "regtest")


def test_a_bad_key_is_refused_with_the_form_that_is_expected(kernel):
    with pytest.raises(InputError, match="send one that begins with xpub") as refused:
        wallets.check(kernel.registry, wallet(key="nonsense"))
    assert refused.value.field == "xpub"


@pytest.mark.parametrize("code", ["doge", "", "b" * 10_000, "\x00"])
def test_an_unknown_coin_is_refused_with_those_there_are(kernel, code):
    with pytest.raises(InputError, match="supported: btc") as refused:
        wallets.check(kernel.registry, wallet(coin=code))
    assert refused.value.field == "currency"
    assert len(str(refused.value)) < 200


def test_without_any_coin_the_operator_learns_what_to_do(kernel_with):
    with pytest.raises(InputError, match="add a coin to plugins"):
        wallets.coin_of(kernel_with().registry, "btc")


def test_a_daemon_that_is_down_cannot_tell(kernel, coin):
    coin.is_down = True

    with pytest.raises(CoinUnreachable):
        wallets.check(kernel.registry, wallet())


def test_a_key_is_handed_to_its_coin_and_not_to_a_log():
    key = wallets.key_of(wallet(key="xpub-hunter2", contract="0x1", extra={"address": "4A-hunter2"}))

    assert (key.key, key.contract, key.extra) == ("xpub-hunter2", "0x1", {"address": "4A-hunter2"})
    assert wallets.key_of(wallet()).contract is None
    assert "hunter2" not in repr(key)
