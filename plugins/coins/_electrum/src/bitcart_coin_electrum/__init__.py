"""What the coins built on Electrum share."""
