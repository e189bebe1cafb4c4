"""`bitcart migrate`: bring the database up to date."""

import typer

from bitcart_core import db, migrations
from bitcart_core.settings import Settings
from bitcart_host_cli.storage import storage


def migrate() -> None:
    """Bring the database's schema up to date; safe to repeat, to interrupt, and to run from several machines."""
    with storage(Settings()) as kept:
        engine = db.create_engine(kept.settings.database_url)
        migrations.upgrade(engine)
        engine.dispose()
    typer.echo("the database is up to date")
