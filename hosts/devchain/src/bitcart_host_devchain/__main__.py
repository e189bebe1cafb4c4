"""`python -m bitcart_host_devchain`: the same as `bitcart devchain`, without the other hosts installed."""

from bitcart_host_devchain.command import app

app(prog_name="bitcart devchain")
