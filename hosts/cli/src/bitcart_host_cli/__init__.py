"""The command `bitcart`: it finds commands and hosts by entry point and names none of them."""
