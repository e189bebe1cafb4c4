"""Bitcoin as every host knows it: the coin, its development chain, and what must be fetched for them.

The light half: it imports no Electrum and no server, and opens no connection before the first call.
"""

from collections.abc import Iterable
from typing import Literal

from bitcart_coin_daemon import DaemonClient, DaemonClientSettings
from bitcart_coin_electrum.requisite import ElectrumRequisite
from pydantic import Field

from bitcart_coin_bitcoin.devchain import BCOIN, BitcoinDevchainFactory
from bitcart_coin_bitcoin.networks import BITCOIN
from bitcart_core import Coin, DevchainFactory, Plugin, Requisite, hookimpl

EXPLORERS = {
    "mainnet": "https://mempool.space/tx/{txid}",
    "testnet": "https://mempool.space/testnet/tx/{txid}",
    "signet": "https://mempool.space/signet/tx/{txid}",
}


class Bitcoin(Plugin):
    """Take bitcoins to the merchant's own wallet, of which only the extended public key is known here."""

    api = 1

    class Settings(DaemonClientSettings):
        """What an operator may set; the rest is in `DaemonClientSettings`."""

        network: Literal["mainnet", "testnet", "signet", "regtest", "simnet"] = Field(
            default="mainnet", description="The network to take payments on; its daemon must run the same."
        )

    @hookimpl
    def register_coins(self) -> Iterable[Coin]:
        """Return bitcoin on the network of the settings."""
        network: str = self.settings.network
        prefixes = BITCOIN.networks[network].public_prefixes
        client = DaemonClient(
            self.settings,
            folder=self.context.data_dir / network,
            name=f"bitcoin on {network}",
            key_hint=f"an extended public key that begins with {' or '.join(prefixes)}",
        )
        yield Coin(
            code=BITCOIN.code,
            name="Bitcoin",
            symbol=BITCOIN.symbol,
            decimals=BITCOIN.decimals,
            network=network,
            client=client,
            explorer_url=EXPLORERS.get(network, ""),
        )

    @hookimpl
    def register_devchains(self) -> Iterable[DevchainFactory]:
        """Return a regtest network of one on loopback."""
        yield BitcoinDevchainFactory()

    @hookimpl
    def register_requisites(self) -> Iterable[Requisite]:
        """Return Electrum, and the node of the development chain."""
        yield ElectrumRequisite()
        yield BCOIN
