"""Decide from a receiver's answer whether a delivery is done, due again or dead. Pure: no network."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from bitcart_core import DeliveryError, Outcome, Rejected
from bitcart_hook_webhook.sender import Answer

MAX_RETRY_AFTER_SECONDS = 24 * 60 * 60.0
"""A receiver may not put its delivery off for longer at a time."""

_EXCERPT_CHARACTERS = 2000


def judge(answer: Answer, *, label: str, now: datetime) -> Outcome:
    """Return what to keep of a delivery that was taken (2xx).

    Args:
        answer: Of the receiver.
        label: The receiver, for messages.
        now: To turn a date in Retry-After into a duration.

    Raises:
        Rejected: 410: the receiver is gone for good (Standard Webhooks).
        DeliveryError: Any other status, redirects among them.
    """
    detail: dict[str, object] = {"status": answer.status, "body": _excerpt(answer.body), "is_whole": answer.is_whole}
    if 200 <= answer.status < 300:
        return Outcome(summary=f"{answer.status} from {label}", detail=detail)
    if answer.status == 410:
        raise Rejected(f"{label} answered 410: it wants no more webhooks; remove the endpoint", detail=detail)
    remedy = "; redirects are not followed, enter the final address" if 300 <= answer.status < 400 else ""
    raise DeliveryError(
        f"{label} answered {answer.status}{remedy}",
        retry_after_seconds=retry_after(answer.headers.get("retry-after", ""), now=now),
        detail=detail,
    )


def retry_after(header: str, *, now: datetime) -> float | None:
    """Read a Retry-After header (RFC 9110, 10.2.3): seconds or a date; None if it says neither."""
    text = header.strip()
    if text.isascii() and text.isdigit():
        return min(float(text), MAX_RETRY_AFTER_SECONDS)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(max((moment - now).total_seconds(), 0.0), MAX_RETRY_AFTER_SECONDS)


def _excerpt(body: bytes) -> str:
    """Return the beginning as text that PostgreSQL can hold: it has no NUL."""
    return body.decode("utf-8", "replace")[:_EXCERPT_CHARACTERS].replace("\x00", "\ufffd")
