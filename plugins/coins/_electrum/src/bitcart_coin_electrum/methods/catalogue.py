"""All methods of our own, by name."""

from bitcart_coin_electrum.methods import requests
from bitcart_coin_electrum.methods.registry import Method, by_name

METHODS: dict[str, Method] = by_name(requests.METHODS)
