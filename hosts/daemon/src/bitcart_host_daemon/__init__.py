"""The daemon protocol server: JSON-RPC, websocket, polling, journal."""

from bitcart_core.hosts import Host
from bitcart_host_daemon.asking import events as print_events
from bitcart_host_daemon.asking import rpc as call_method
from bitcart_host_daemon.command import daemon
from bitcart_host_daemon.processes import processes_of

host = Host(name="daemon", command=daemon, processes=processes_of)
rpc = Host(name="rpc", command=call_method)
events = Host(name="events", command=print_events)

__all__ = ["events", "host", "rpc"]
