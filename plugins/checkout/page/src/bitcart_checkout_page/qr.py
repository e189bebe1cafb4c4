"""Draw QR codes: black on white, with their quiet zone, as SVG without any style of its own."""

from dataclasses import dataclass

import segno
from markupsafe import Markup

QUIET_ZONE = 4
"""Modules of white around the code (ISO/IEC 18004)."""

_SHORT = 150
_SMALL = 74
"""More modules than that would be under 3 px wide in the usual box."""


@dataclass(frozen=True, kw_only=True)
class QrCode:
    """A drawn code.

    Attributes:
        svg: The drawing, without a size: the stylesheet gives one.
        is_dense: It has so many modules that it needs a larger box.
    """

    svg: Markup
    is_dense: bool


def draw(text: str) -> QrCode:
    """Return the QR code of a text; a long one with less error correction, so that its modules stay large."""
    code = segno.make(text, error="m" if len(text) <= _SHORT else "l", micro=False)
    svg = code.svg_inline(border=QUIET_ZONE, dark="#000", light="#fff", omitsize=True, lineclass=None, svgclass=None)
    # Made of numbers by the library: the text itself does not stand in it.
    return QrCode(svg=Markup(svg), is_dense=code.symbol_size(border=QUIET_ZONE)[0] > _SMALL)  # noqa: S704


def qr_text(uri: str) -> str:
    """Return what to put into a code: Lightning invoices in upper case, which makes a far smaller code (BOLT 11)."""
    return uri.upper() if uri.lower().startswith(("lightning:", "lnbc", "lntb")) else uri
