"""Prices from CoinGecko."""
