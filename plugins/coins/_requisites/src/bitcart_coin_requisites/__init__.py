"""What a coin needs that no Python index carries, fetched into the data folder, pinned by hash and all or nothing."""

from bitcart_coin_requisites.nodejs import NodeJs, find_nodejs, provide_nodejs
from bitcart_coin_requisites.npm import NpmPackages

__all__ = ["NodeJs", "NpmPackages", "find_nodejs", "provide_nodejs"]
