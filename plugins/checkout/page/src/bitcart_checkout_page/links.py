"""Where the page's links may lead. What merchants, buyers and daemons wrote is checked here, or becomes no link."""

import re
from urllib.parse import quote, urlsplit

from bitcart_checkout_page.invoice import Invoice, Method
from bitcart_core import InputError, WebAddress, parse_web_address

_AMOUNT_KEYS = frozenset({"amount", "tx_amount"})  # BIP 21, and Monero's form of it
_FIXED_KEYS = frozenset({"lightning", "value", "uint256"})  # a sum that we cannot write anew
_MAIL = re.compile(r"[A-Za-z0-9._+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,63}")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*")
_URI = re.compile(r"[!-~]+")


def payment_uri(method: Method, due: str | None) -> str:
    """Return what a wallet is given: the method's own URI (BIP 21), asking for exactly what is still due.

    The rest of the URI stays as the coin wrote it. A sum that cannot be written anew (a Lightning invoice inside,
    EIP-681's `value`) is taken out if it is not what is due: the wallet then asks for the sum the page shows.

    Args:
        method: Whose URI.
        due: The digits the page shows, or None if any amount is welcome.
    """
    base, mark, query = method.payment_url.partition("?")
    if not mark or due is None:
        return method.payment_url
    is_full = method.due == method.amount
    kept = []
    for pair in query.split("&"):
        key = pair.partition("=")[0].lower()
        if key in _AMOUNT_KEYS:
            kept.append(f"{pair.partition('=')[0]}={due}")
        elif is_full or key not in _FIXED_KEYS:
            kept.append(pair)
    return f"{base}?{'&'.join(kept)}" if kept else base


def wallet_link(uri: str, schemes: frozenset[str]) -> str | None:
    """Return a URI as a link that opens a wallet, or None if its scheme is not known to belong to one."""
    scheme, mark, _ = uri.partition(":")
    is_known = bool(mark) and bool(_SCHEME.fullmatch(scheme.lower())) and scheme.lower() in schemes
    return uri if is_known and _URI.fullmatch(uri) else None


def web_link(url: str) -> WebAddress | None:
    """Return an http or https URL taken apart, or None for anything else, `javascript:` first of all."""
    try:
        return parse_web_address(url) if url else None
    except InputError:
        return None


def href(address: WebAddress, url: str) -> str:
    """Return a checked URL for a link: put together again from its parts, with the fragment it came with."""
    fragment = quote(urlsplit(url).fragment, safe="/%:@!$&'()*+,;=~?-._")
    return f"{address.scheme}://{address.authority}{address.target}{'#' + fragment if fragment else ''}"


def support_link(support: str, invoice: Invoice) -> str | None:
    """Return a link to the people of a store: a mail that names the invoice, or their page; None if neither."""
    if _MAIL.fullmatch(support):
        return f"mailto:{support}?subject={quote(f'Invoice {invoice.id}')}"
    address = web_link(support)
    return href(address, support) if address else None


def transaction_link(method: Method | None, txid: str) -> str | None:
    """Return the page of a transaction on the coin's block explorer, or None where there is none."""
    if method is None or "{txid}" not in method.explorer_url:
        return None
    url = method.explorer_url.replace("{txid}", quote(txid, safe=""))
    address = web_link(url)
    return href(address, url) if address else None
