"""The contract's error codes for coins of the Electrum family, and the texts by which they are found (section 2)."""

from collections.abc import Mapping
from typing import Any

from bitcart_core import CoinRefused

PROCEDURE_NOT_FOUND = -32601
WALLET_NOT_LOADED = -32000
TX_NOT_FOUND = -32002
REQUEST_NOT_FOUND = -32003
LOADING_WALLET = -32005
WALLET_EXISTS = -32008
NO_CONFIG_KEY = -32014

LOADING_FAILED = "Error loading wallet"
"""Begins every error about a wallet that could not be opened, and finds its code."""

_EXCEPTIONS: Mapping[int, tuple[str, str]] = {
    -32600: ("UnauthorizedError", "Unauthorized"),
    -32601: ("ProcedureNotFoundError", "Procedure not found"),
    -32000: ("WalletNotLoadedError", "Wallet not loaded. No xpub was provided and this function requires wallet"),
    -32001: ("InvalidTxHashError", "Invalid tx hash provided"),
    -32002: ("TxNotFoundError", "No such mempool or blockchain transaction"),
    -32003: ("RequestNotFoundError", "Payment request not found"),
    -32004: ("InvalidAddressError", "Invalid address or alias"),
    -32005: ("LoadingWalletError", "Error loading wallet: seed or key not recognized"),
    -32006: ("NotEnoughFundsError", "Insufficient funds"),
    -32007: ("InvalidNodeIDError", "Invalid node ID"),
    -32008: ("WalletExistsError", "This wallet already exists"),
    -32009: ("InvalidLightningInvoiceError", "Invalid lightning invoice"),
    -32010: ("NoPathFoundError", "No path found to pay the invoice"),
    -32011: ("LightningUnsupportedError", "Lightning not supported in this wallet type"),
    -32012: ("InvoiceNotFoundError", "Invoice not found"),
    -32013: (
        "WalletVersionMismatchError",
        "The wallet was written by a newer version of Electrum than this daemon runs; update the daemon to open it",
    ),
    -32014: ("NoConfigKeyError", "No config key found"),
}

_ERROR_TEXTS: Mapping[str, int] = {
    "Procedure not found": PROCEDURE_NOT_FOUND,
    "wallet not loaded": WALLET_NOT_LOADED,
    "should be a transaction hash": -32001,
    "No such mempool or blockchain transaction. Use gettransaction for wallet transactions.": TX_NOT_FOUND,
    "No such mempool or blockchain transaction": TX_NOT_FOUND,
    "No such mempool transaction.": TX_NOT_FOUND,
    "missing transaction": TX_NOT_FOUND,
    "No such blockchain transaction": TX_NOT_FOUND,
    "Transaction not found": TX_NOT_FOUND,
    "Request not found": REQUEST_NOT_FOUND,
    "Invalid Bitcoin address or alias": -32004,
    "Invalid bitcoin address:": -32004,
    "Insufficient funds": -32006,
    "Invalid node ID, must be 33 bytes and hexadecimal": -32007,
    "Remove the existing wallet first!": WALLET_EXISTS,
    "Bad bech32 checksum": -32009,
    "Does not start with ln": -32009,
    "Wrong Lightning invoice HRP": -32009,
    "Too short to contain signature": -32009,
    "No path found": -32010,
    "Lightning not supported in this wallet type": -32011,
    "Lightning not enabled in this wallet": -32011,
    "Invoice not found": -32012,
    "This version of Electrum is too old to open this wallet": -32013,
    "No ConfigVar with key": NO_CONFIG_KEY,
    # Last, since the reason that follows it may have a code of its own.
    LOADING_FAILED: LOADING_WALLET,
}


def spec(*, version: str, has_lightning: bool) -> dict[str, Any]:
    """Return the body of `GET /spec`: exactly the four keys that clients check for."""
    return {
        "version": version,
        "electrum_map": dict(_ERROR_TEXTS),
        "exceptions": {str(code): {"exc_name": name, "docstring": text} for code, (name, text) in _EXCEPTIONS.items()},
        "capabilities": {"lightning": has_lightning},
    }


def wallet_needed() -> CoinRefused:
    """Return the error for a call that came without a key and needs one."""
    return CoinRefused("Wallet not loaded: this method needs a wallet, send its key as 'xpub'", code=WALLET_NOT_LOADED)


def not_loaded(reason: str) -> CoinRefused:
    """Return the error for a wallet that cannot be used, with the reason in words that hold no key."""
    return CoinRefused(f"{LOADING_FAILED}: {reason}", code=LOADING_WALLET)


def request_not_found(request_id: object) -> CoinRefused:
    """Return the error for a request that this wallet does not have."""
    return CoinRefused(f"Request not found: {str(request_id)[:16]!r}", code=REQUEST_NOT_FOUND)
