"""The client of a coin's daemon: RPC, stream, replay."""
