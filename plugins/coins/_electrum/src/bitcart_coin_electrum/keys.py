"""Say what a merchant's key is, without any wallet library: its digest, and why it is not of this network."""

import hashlib
from collections.abc import Mapping

from bitcart_coin_electrum.profile import NetworkProfile
from bitcart_core import WalletKey

DIGEST_HEX = 32


def digest_of(key: WalletKey, network: str) -> str:
    """Return the name of a wallet: the same for the same key, and no way back to it.

    The key itself must name no file and no log line, since it may be a seed.
    """
    parts = (normalise(key.key), key.contract or "", network)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:DIGEST_HEX]


def normalise(text: str) -> str:
    """Return a key with its white space made single, so that one wallet has one name."""
    return " ".join(text.split())


def why_refused(text: str, network: str, networks: Mapping[str, NetworkProfile]) -> str:
    """Say in one sentence why a text is no key of a network, and what would be. Never repeats the key."""
    expected = " or ".join(networks[network].public_prefixes)
    for other, profile in networks.items():
        if text.startswith(profile.key_prefixes) and not text.startswith(networks[network].key_prefixes):
            return (
                f"Seed or key not recognized: this is a {text[:4]} key of {other}, and this daemon runs {network}; "
                f"send an extended key that begins with {expected}"
            )
    return (
        "Seed or key not recognized: send an extended public key that begins with "
        f"{expected}, an Electrum seed, or addresses of {network}"
    )
