"""Run the operator's own executables when something becomes of an invoice."""

from bitcart_hook_scripts.plugin import Scripts, ScriptsSettings

__all__ = ["Scripts", "ScriptsSettings"]
