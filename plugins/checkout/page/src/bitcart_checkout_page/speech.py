"""Say a message to one reader: translated, its blanks filled with safe HTML. Knows no message of its own."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from gettext import NullTranslations
from typing import Self

from babel import Locale
from markupsafe import Markup, escape

from bitcart_checkout_page.texts import LABELS
from bitcart_checkout_page.writing import Writer


@dataclass(frozen=True, kw_only=True)
class Speech:
    """How one reader is spoken to.

    Attributes:
        writer: Writes amounts and times for the reader.
        translate: Finds a message in the reader's language (gettext).
    """

    writer: Writer
    translate: Callable[[str], str]

    @classmethod
    def in_english(cls, now: datetime) -> Self:
        """Return how to speak English, the language the messages are written in."""
        return cls(writer=Writer(locale=Locale("en"), now=now), translate=NullTranslations().gettext)

    @property
    def locale(self) -> Locale:
        """The reader's language and region."""
        return self.writer.locale

    def say(self, message: str, **values: object) -> Markup:
        """Return a message in the reader's language; a value that is not safe HTML is escaped."""
        return Markup(escape(self.translate(message))).format(**values)  # noqa: S704 - escaped, as are the values

    def label(self, name: str, **values: object) -> Markup:
        """Return one of `texts.LABELS` by its name."""
        return self.say(LABELS[name], **values)
