"""Prices from Kraken."""
