"""Bitcoin: the coin as every host knows it. Its daemon, which brings Electrum, is in `daemon` and not imported here."""

from bitcart_coin_bitcoin.plugin import Bitcoin

__all__ = ["Bitcoin"]
