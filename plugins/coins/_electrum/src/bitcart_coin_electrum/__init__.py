"""What the coins built on Electrum share: the daemon's heavy half, its wallets and its watch over payments.

Importing this package imports nothing; `daemon.ElectrumDaemon` is the way in, and it imports Electrum when started.
"""
