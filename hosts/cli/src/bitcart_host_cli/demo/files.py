"""What a demo writes before it starts: a plugins.toml, a script of the merchant's, a folder that is new each time."""

import shutil

from bitcart_core.embedded.account import make_folder
from bitcart_core.settings import Settings

_PLUGINS = """\
# Written by `bitcart demo`. The order of the tables is the order in which plugins answer.

[bitcoin]
network = "regtest"

[fixed.prices]
BTC_USD = "50000"
BTC_EUR = "45000"

[webhook]
allowed_networks = ["127.0.0.0/8"]   # the receivers of a demo are on this machine
allowed_ports = [{http_port}]

[scripts]
folder = "{scripts}"

[email]
allowed_networks = ["127.0.0.0/8"]
allowed_ports = [{smtp_port}]

[apprise]
extra_schemas = ["json"]
allowed_ports = [{http_port}]
allowed_networks = ["127.0.0.0/8"]

[page]
"""

_SCRIPT = """\
#!/bin/sh
# Run by the plugin "scripts" when an invoice is complete; the event comes as JSON on standard input.
read -r event
echo "the merchant's own script heard of $BITCART_EVENT: ${#event} characters of JSON"
"""


def prepare(settings: Settings, *, http_port: int, smtp_port: int) -> Settings:
    """Make the demo's folder anew and write its files.

    Args:
        settings: Of the deployment the demo stands beside; its requisites are used.
        http_port: Of the webhook receiver.
        smtp_port: Of the mail server.

    Returns:
        Settings of the demo.
    """
    folder = settings.data_dir / "demo"
    shutil.rmtree(folder, ignore_errors=True)
    make_folder(folder, mode=0o711)
    requisites = make_folder(settings.data_dir / "requisites", mode=0o755)
    (folder / "requisites").symlink_to(requisites)
    scripts = make_folder(folder / "scripts", mode=0o700)
    script = scripts / "invoice_completed"
    script.write_text(_SCRIPT)
    script.chmod(0o700)
    plugins = folder / "plugins.toml"
    plugins.write_text(_PLUGINS.format(http_port=http_port, smtp_port=smtp_port, scripts=scripts))
    return settings.model_copy(
        update={"data_dir": folder, "plugins_file": plugins, "database_url": "", "redis_url": ""}
    )
