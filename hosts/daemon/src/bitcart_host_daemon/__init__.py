"""The daemon protocol server: JSON-RPC, websocket, polling, journal."""
