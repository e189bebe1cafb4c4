"""What the Bitcoin plugin registers for `bitcart devchain`: how to start its chain and how to reach one that runs."""

from pathlib import Path

from bitcart_coin_bitcoin.devchain.chain import COIN, BitcoinDevchain
from bitcart_coin_bitcoin.devchain.tools import BitcoinChainTools
from bitcart_core import ChainTools, Devchain, RunningChain


class BitcoinDevchainFactory:
    """`DevchainFactory` of Bitcoin."""

    coin = COIN

    def create(self, data_dir: Path) -> Devchain:
        """Return a chain that is not started yet.

        Args:
            data_dir: `BITCART_DATA`, where the node was installed.
        """
        return BitcoinDevchain(data_dir)

    def tools(self, chain: RunningChain) -> ChainTools:
        """Return the tools for a running chain."""
        return BitcoinChainTools(chain)

    def fresh_key(self, chain: RunningChain) -> str:
        """Return the account key (BIP 84, `vpub`) of a new wallet."""
        return BitcoinChainTools(chain).fresh_key()
