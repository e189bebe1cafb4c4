"""Sign a message by the Standard Webhooks specification, version 1.0; an unsigned message cannot be made here."""

import base64
import binascii
import hmac
from collections.abc import Sequence

from bitcart_core import DeliveryError

PREFIX = "whsec_"
KEY_BYTES = range(24, 65)
"""Lengths that the specification allows for a key."""


def sign(message_id: str, timestamp: int, body: bytes, *, secrets: Sequence[str]) -> str:
    """Return the value of the `webhook-signature` header.

    Args:
        message_id: The same over all attempts.
        timestamp: Of this attempt, seconds since 1970.
        body: Exactly as it will be sent.
        secrets: `whsec_` and 24 to 64 bytes in base64. One signature is made with each, so that a receiver
            verifies before, during and after a change of secret.

    Raises:
        DeliveryError: There is no secret, or one of them is not a secret.
    """
    if not secrets:
        raise DeliveryError("the store has no signing secret, and nothing is sent unsigned; create one for the store")
    signed = b"%b.%d.%b" % (message_id.encode(), timestamp, body)
    digests = (hmac.digest(_key(secret), signed, "sha256") for secret in secrets)
    return " ".join(f"v1,{base64.b64encode(digest).decode()}" for digest in digests)


def _key(secret: str) -> bytes:
    text = secret.removeprefix(PREFIX)
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        key = b""
    if not secret.startswith(PREFIX) or len(key) not in KEY_BYTES:
        raise DeliveryError(
            "a signing secret of the store is broken: it must be whsec_ and 24 to 64 bytes in base64; create a new one"
        )
    return key
