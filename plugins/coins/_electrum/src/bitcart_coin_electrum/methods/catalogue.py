"""All methods of our own, by every name they go by."""

from bitcart_coin_electrum.methods import network, requests, transactions, wallet
from bitcart_coin_electrum.methods.registry import Method, by_name

METHODS: dict[str, Method] = by_name((*network.METHODS, *requests.METHODS, *transactions.METHODS, *wallet.METHODS))
