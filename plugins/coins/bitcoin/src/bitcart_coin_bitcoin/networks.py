"""Bitcoin's networks as values: what its daemon and its plugin both must know."""

from bitcart_coin_electrum.profile import CoinProfile, NetworkProfile

MAIN_KEYS = ("xpub", "ypub", "zpub", "Ypub", "Zpub", "xprv", "yprv", "zprv", "Yprv", "Zprv")
TEST_KEYS = ("tpub", "upub", "vpub", "Upub", "Vpub", "tprv", "uprv", "vprv", "Uprv", "Vprv")

BITCOIN = CoinProfile(
    code="btc",
    symbol="BTC",
    uri_scheme="bitcoin",
    default_port=5000,
    networks={
        "mainnet": NetworkProfile(electrum_class="BitcoinMainnet", electrum_option="", key_prefixes=MAIN_KEYS),
        "testnet": NetworkProfile(electrum_class="BitcoinTestnet", electrum_option="testnet", key_prefixes=TEST_KEYS),
        "signet": NetworkProfile(electrum_class="BitcoinSignet", electrum_option="signet", key_prefixes=TEST_KEYS),
        "regtest": NetworkProfile(
            electrum_class="BitcoinRegtest", electrum_option="regtest", key_prefixes=TEST_KEYS, has_real_servers=False
        ),
        "simnet": NetworkProfile(
            electrum_class="BitcoinSimnet", electrum_option="simnet", key_prefixes=TEST_KEYS, has_real_servers=False
        ),
    },
)
