"""`python -m bitcart_host_cli`: how the supervisor starts hosts with the interpreter it runs on."""

from bitcart_host_cli.app import main

main()
