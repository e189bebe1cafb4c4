"""Asking coins for ways to pay an invoice: all at once, under one deadline, with no transaction open."""

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bitcart_core import quotes
from bitcart_core.coins import Coin, PaymentRequest
from bitcart_core.errors import BitcartError, CoinError, CoinUnreachable
from bitcart_core.models import Invoice, PaymentMethod, Wallet
from bitcart_core.models.base import new_id
from bitcart_core.quotes import Quote
from bitcart_core.rates import Pair
from bitcart_core.stores import CheckoutSettings
from bitcart_core.wallets import key_of

if TYPE_CHECKING:
    from bitcart_core.kernel import Kernel

log = logging.getLogger(__name__)

DEADLINE_SECONDS = 15.0
"""For all payment methods of an invoice together; a coin that is slower is left out."""

_WORKERS = 16


@dataclass(frozen=True, kw_only=True)
class Offer:
    """One way to pay that its coin has agreed to."""

    wallet: Wallet
    coin: Coin
    quote: Quote
    request: PaymentRequest


def ask(kernel: "Kernel", invoice: Invoice, wallets: Sequence[Wallet], *, currency_decimals: int) -> list[Offer]:
    """Ask every coin for a way to be paid, all at once; return what was agreed in time, in the store's order."""
    failures: list[BitcartError] = []
    if len(wallets) == 1:  # the common case needs no thread
        answers = [_offer_or_failure(kernel, invoice, wallets[0], currency_decimals)]
    else:
        pool = ThreadPoolExecutor(min(len(wallets), _WORKERS), thread_name_prefix="payment-method")
        tasks = [pool.submit(_offer_or_failure, kernel, invoice, wallet, currency_decimals) for wallet in wallets]
        done, _ = wait(tasks, timeout=DEADLINE_SECONDS + 1)
        pool.shutdown(wait=False, cancel_futures=True)
        answers = [task.result() for task in tasks if task in done]
    offers = [answer for answer in answers if isinstance(answer, Offer)]
    failures = [answer for answer in answers if isinstance(answer, BitcartError)]
    if offers:
        return offers
    raise _worst(failures)


def _worst(failures: Sequence[BitcartError]) -> BitcartError:
    """Return the failure that says best what to do: what the caller can mend first, what only time mends last."""
    for failure in failures:
        if not isinstance(failure, CoinUnreachable):
            return failure
    return failures[0] if failures else CoinUnreachable("no coin answered in time; try again in a minute")


def _offer_or_failure(
    kernel: "Kernel", invoice: Invoice, wallet: Wallet, currency_decimals: int
) -> Offer | BitcartError:
    try:
        return _offer(kernel, invoice, wallet, currency_decimals)
    except BitcartError as error:
        log.warning("invoice %s is offered without %s: %s", invoice.id, wallet.coin, error)
        return error
    except Exception as error:  # a coin is a plugin: it can fail, never veto
        log.exception("invoice %s is offered without %s", invoice.id, wallet.coin)
        return CoinError(f"{wallet.coin} could not be asked ({type(error).__name__}: {error}); look into the log")


def _offer(kernel: "Kernel", invoice: Invoice, wallet: Wallet, currency_decimals: int) -> Offer:
    coin = kernel.registry.coins.get(wallet.coin)
    if coin is None or coin.network != wallet.network:
        raise CoinUnreachable(f"{wallet.coin}/{wallet.network} is not loaded here; add the coin to plugins.toml")
    quote = quotes.quote(
        kernel.rates.rate(Pair(base=coin.symbol, quote=invoice.currency)),
        None if invoice.is_any_amount else invoice.price,
        symbol=coin.symbol,
        decimals=coin.decimals,
        currency_decimals=currency_decimals,
    )
    request = coin.client.create_request(
        key_of(wallet),
        amount=quote.amount,
        memo="",
        expires_in_seconds=invoice.expiration_minutes * 60,
        timeout_seconds=DEADLINE_SECONDS,
    )
    return Offer(wallet=wallet, coin=coin, quote=quote, request=request)


def method(invoice: Invoice, offer: Offer, position: int, settings: CheckoutSettings) -> PaymentMethod:
    """Return the row of an offer; `position` is its place on the page."""
    wallet, request = offer.wallet, offer.request
    required = wallet.confirmations_required
    return PaymentMethod(
        id=new_id(),
        created_at=invoice.created_at,
        invoice_id=invoice.id,
        wallet_id=wallet.id,
        coin=offer.coin.code,
        network=offer.coin.network,
        symbol=offer.coin.symbol,
        decimals=offer.coin.decimals,
        contract=wallet.contract,
        amount=offer.quote.amount,
        rate=offer.quote.rate,
        rate_provenance=offer.quote.provenance.to_json(),
        lookup_key=request.lookup_key,
        address=request.address,
        uri=request.uri,
        is_lightning=request.is_lightning,
        payment_hash=request.payment_hash,
        node_id=request.node_id,
        confirmations_required=settings.transaction_speed if required is None else required,
        label=wallet.label,
        hint=wallet.hint,
        position=position,
    )
