"""The REST API, compatible with Bitcart's Merchants API."""
