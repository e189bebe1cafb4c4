"""The page a buyer pays on: what to send, where, by when, and whether it arrived."""

from bitcart_checkout_page.plugin import Page
from bitcart_checkout_page.settings import PageSettings

__all__ = ["Page", "PageSettings"]
