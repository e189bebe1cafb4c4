"""The command `bitcart`: setup, up, demo, doctor."""
