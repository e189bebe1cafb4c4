"""A real Bitcoin network of one on loopback: bcoin as its node, e-x as its Electrum server."""

from bitcart_coin_bitcoin.devchain.factory import BitcoinDevchainFactory
from bitcart_coin_bitcoin.devchain.requisite import BCOIN

__all__ = ["BCOIN", "BitcoinDevchainFactory"]
