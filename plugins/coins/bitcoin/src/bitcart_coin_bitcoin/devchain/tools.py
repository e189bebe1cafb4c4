"""What can be done to a running Bitcoin development chain, from any process; the work itself is done in the node."""

from decimal import Decimal

from bitcart_coin_bitcoin.devchain.rpc import NodeRpc
from bitcart_core import RunningChain
from bitcart_core.money import parse_amount

DECIMALS = 8


class BitcoinChainTools:
    """`ChainTools` over the node's JSON-RPC."""

    def __init__(self, chain: RunningChain) -> None:
        self._rpc = NodeRpc(chain)

    def height(self) -> int:
        """Return the height of the best block."""
        return int(self._rpc.call("getblockcount"))

    def mine(self, blocks: int) -> list[str]:
        """Mine blocks that contain what waits in the mempool; return their hashes."""
        return [str(block) for block in self._rpc.call("devchain.mine", blocks)]

    def pay(self, address: str, amount: Decimal) -> str:
        """Send coins from the chain's wallet, replaceably (BIP 125); return the txid, which is in the mempool.

        Raises:
            InputError: The amount is no amount of bitcoins.
            CoinRefused: The address is not of this chain, or the wallet is empty.
        """
        exact = parse_amount(amount, currency="BTC", decimals=DECIMALS)
        return str(self._rpc.call("devchain.pay", address, int(exact.scaleb(DECIMALS))))

    def replace(self, txid: str, address: str | None) -> str:
        """Replace a waiting payment of the chain's wallet by a dearer one; return the new txid.

        Args:
            txid: The payment; what spends from it is dropped with it.
            address: Gets the money instead, or None to return it to the wallet. The old address bumps the fee.

        Raises:
            CoinRefused: The transaction does not wait, or is not the wallet's.
        """
        return str(self._rpc.call("devchain.replace", txid, address))

    def reorg(self, depth: int, *, keep_transactions: bool = True) -> int:
        """Overtake the last blocks by a branch one block longer, as another miner would; return the new height.

        Args:
            depth: How many blocks are lost, 1 to 99.
            keep_transactions: Each stands as high as before, in another block; else they are gone for good,
                with all that spends from them.
        """
        return int(self._rpc.call("devchain.reorg", depth, keep_transactions))

    def confirmations(self, txid: str) -> int:
        """Return how many blocks stand on a transaction, 0 for the mempool.

        Raises:
            CoinRefused: The node does not know it.
        """
        return int(self._rpc.call("getrawtransaction", txid, 1).get("confirmations", 0))

    def fresh_key(self) -> str:
        """Return the account key (BIP 84, `vpub`) of a new wallet that nobody can spend from."""
        return str(self._rpc.call("devchain.freshkey"))
