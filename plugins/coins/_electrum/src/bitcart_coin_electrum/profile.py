"""What tells one coin of the Electrum family from another. Values only: no wallet library in here."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class NetworkProfile:
    """One network of a coin.

    Attributes:
        electrum_class: Name of the class in Electrum's `constants` that holds its numbers.
        electrum_option: The switch of Electrum's configuration that selects it; empty for the main network.
        key_prefixes: How extended keys of this network begin (SLIP-132).
        has_real_servers: Public servers exist; where there are none, only the server named by the operator is used.
    """

    electrum_class: str
    electrum_option: str
    key_prefixes: tuple[str, ...]
    has_real_servers: bool = True

    @property
    def public_prefixes(self) -> tuple[str, ...]:
        """How the keys begin that a merchant is asked for: public, and of one signature."""
        return tuple(prefix for prefix in self.key_prefixes if prefix.endswith("pub") and prefix.islower())


@dataclass(frozen=True, kw_only=True)
class CoinProfile:
    """One coin of the family.

    Attributes:
        code: Lower case: `btc`.
        symbol: As in amounts and in the contract's field names: `BTC`.
        uri_scheme: BIP 21: `bitcoin`.
        decimals: Of the smallest unit.
        default_port: Where its daemon listens unless told otherwise (daemon contract, section 1).
        networks: By the name the operator uses.
    """

    code: str
    symbol: str
    uri_scheme: str
    default_port: int
    networks: Mapping[str, NetworkProfile]
    decimals: int = 8

    @property
    def amount_field(self) -> str:
        """Name of the field with an amount in whole coins (daemon contract, section 1)."""
        return f"amount_{self.symbol}"
