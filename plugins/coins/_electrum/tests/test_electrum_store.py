"""The file of payment requests, and the choice of their addresses."""

import sqlite3
from dataclasses import dataclass, field, replace

import pytest
from bitcart_coin_electrum.addresses import LATE_SECONDS, free_address, is_live
from bitcart_coin_electrum.store import RequestStore, StoredRequest
from bitcart_coin_electrum.wallets import OpenWallet

from bitcart_core import InputError

NOW = 1_700_000_000
REQUEST = StoredRequest("0123456789", "wallet", "address-0", 0, 100, "A book", NOW, 900)


@pytest.fixture
def store(tmp_path):
    store = RequestStore(tmp_path / "requests.sqlite")
    yield store
    store.close()


def test_what_was_added_is_there_after_a_restart(tmp_path):
    file = tmp_path / "requests.sqlite"
    first = RequestStore(file)
    first.add(REQUEST)
    second = RequestStore(file)  # the first was never closed, as after a kill
    assert second.get(REQUEST.id) == REQUEST
    first.close()
    second.close()


def test_no_id_is_given_twice(store, monkeypatch):
    ids = iter([REQUEST.id, REQUEST.id, "abcdefabcd"])
    monkeypatch.setattr("secrets.token_hex", lambda _: next(ids))
    store.add(replace(REQUEST, id=store.new_id()))
    assert store.new_id() == "abcdefabcd"
    with pytest.raises(sqlite3.IntegrityError):
        store.add(REQUEST)


def test_a_deleted_request_is_hidden_and_its_address_stays_taken(store):
    store.add(REQUEST)
    store.delete("another wallet", REQUEST.id)
    assert store.of_wallet("wallet") == [REQUEST]
    store.delete("wallet", REQUEST.id)
    assert store.of_wallet("wallet") == []
    assert store.is_deleted(REQUEST.id)
    assert store.latest_at("address-0") == REQUEST


def test_all_requests_of_a_wallet_are_hidden_at_once(store):
    for number in range(3):
        store.add(replace(REQUEST, id=str(number)))
    store.add(replace(REQUEST, id="other", wallet="other"))
    store.delete("wallet")
    assert store.of_wallet("wallet") == []
    assert len(store.of_wallet("other")) == 1


def test_the_last_request_of_an_address_is_found(store):
    store.add(REQUEST)
    store.add(replace(REQUEST, id="later", created_at=NOW + 5))
    assert store.latest_at("address-0").id == "later"
    assert store.latest_at("address-1") is None


def test_requests_are_found_by_their_end(store):
    store.add(REQUEST)
    store.add(replace(REQUEST, id="never", lifetime=0))
    assert {request.id for request in store.expired_after(NOW + 899)} == {REQUEST.id, "never"}
    assert {request.id for request in store.expired_after(NOW + 900)} == {"never"}


def test_a_wallet_must_know_the_addresses_of_all_its_requests(store):
    assert store.addresses_taken("wallet") == 0
    store.add(replace(REQUEST, id="far", address_index=44))
    store.add(replace(REQUEST, id="listed", address_index=None))
    assert store.addresses_taken("wallet") == 45


@dataclass
class Addresses:
    """A wallet as far as choosing an address sees it."""

    count: int = 3
    used: set[str] = field(default_factory=set)
    derives: bool = True

    def receiving_count(self):
        return self.count

    def receiving_address(self, index):
        return f"address-{index}"

    def is_used(self, address):
        return address in self.used

    def can_derive(self):
        return self.derives

    def derive(self):
        self.count += 1
        return f"address-{self.count - 1}"


def open_wallet(**what):
    return OpenWallet("wallet", Addresses(**what), is_diskless=False, is_history=False)


def choose(wallet, taken=(), *, now=NOW, may_derive=False):
    return free_address(wallet, lambda address: address in taken, now=now, may_derive=may_derive)


def test_the_first_address_that_nobody_has_is_chosen():
    assert choose(open_wallet(used={"address-0"}), {"address-1"}) == ("address-2", 2)


def test_beyond_the_gap_limit_an_address_is_made_only_if_asked():
    wallet = open_wallet()
    taken = {"address-0", "address-1", "address-2"}
    assert choose(wallet, taken) is None
    assert choose(wallet, taken, may_derive=True) == ("address-3", 3)
    assert choose(wallet, taken | {"address-3"}, may_derive=True) == ("address-4", 4)


def test_an_address_that_is_free_again_is_found_after_a_while():
    wallet = open_wallet()
    assert choose(wallet, {"address-0"}) == ("address-1", 1)
    assert choose(wallet, {"address-1"}) == ("address-2", 2)
    assert choose(wallet, {"address-1", "address-2"}, now=NOW + 3600) == ("address-0", 0)


def test_a_list_of_addresses_that_are_all_taken_says_so():
    wallet = open_wallet(count=1, derives=False)
    assert choose(wallet) == ("address-0", None)
    with pytest.raises(InputError, match="every address of this wallet is taken"):
        choose(wallet, {"address-0"}, may_derive=True)


def test_an_expired_request_lives_until_no_late_money_can_come():
    end = REQUEST.expires_at
    assert is_live(REQUEST, now=end + LATE_SECONDS - 1)
    assert not is_live(REQUEST, now=end + LATE_SECONDS)
    assert is_live(replace(REQUEST, lifetime=0), now=NOW + 10**9)
    assert not is_live(None, now=NOW)
