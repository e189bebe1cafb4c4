"""The heavy half of Bitcoin: its daemon. Loaded by the daemon host only."""

from bitcart_coin_electrum.daemon import ElectrumDaemon

from bitcart_coin_bitcoin.networks import BITCOIN
from bitcart_core import DaemonJournal, DaemonSettings


class BitcoinDaemon(ElectrumDaemon):
    """Bitcoin on Electrum.

    Args:
        settings: From the daemon host.
        journal: Where payments are told.

    Raises:
        ConfigError: Bitcoin has no such network.
    """

    code = BITCOIN.code
    default_port = BITCOIN.default_port

    def __init__(self, settings: DaemonSettings, journal: DaemonJournal) -> None:
        super().__init__(BITCOIN, settings, journal)


create = BitcoinDaemon
