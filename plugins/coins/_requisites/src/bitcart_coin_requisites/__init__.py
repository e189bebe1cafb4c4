"""What a coin needs that no Python index carries, fetched into the data folder, pinned by hash and all or nothing."""

from bitcart_coin_requisites.archives import Archive, find_archive
from bitcart_coin_requisites.debian import ANY_ARCHITECTURE, Build, DebianFiles, DebianPackage
from bitcart_coin_requisites.installing import fingerprint, home_of, install_folder, is_installed
from bitcart_coin_requisites.nodejs import NodeJs, find_nodejs, provide_nodejs
from bitcart_coin_requisites.npm import NpmPackages

__all__ = [
    "ANY_ARCHITECTURE",
    "Archive",
    "Build",
    "DebianFiles",
    "DebianPackage",
    "NodeJs",
    "NpmPackages",
    "find_archive",
    "find_nodejs",
    "fingerprint",
    "home_of",
    "install_folder",
    "is_installed",
    "provide_nodejs",
]
