"""Speak to Electrum. The only room that imports it, and `library` the only file that knows which version it is.

What the rest of the family sees are `Electrum`, one per process, and `ElectrumWallet`; both answer in plain values.
"""

from bitcart_coin_electrum.adapter.electrum import Electrum, NotAKey, Tip
from bitcart_coin_electrum.adapter.hints import Hint, HintKind
from bitcart_coin_electrum.adapter.library import Command
from bitcart_coin_electrum.adapter.wallet import ElectrumWallet

__all__ = ["Command", "Electrum", "ElectrumWallet", "Hint", "HintKind", "NotAKey", "Tip"]
