"""Have one notification sent by a process of its own, under a deadline, and say in words what came of it."""

import json
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

from bitcart_core import AddressPolicy, DeliveryError, Notification, Rejected
from bitcart_notifier_apprise import child
from bitcart_notifier_apprise.schemas import MODULES
from bitcart_notifier_apprise.urls import ServiceUrl, secrets_of

_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}


@dataclass(frozen=True, kw_only=True)
class Report:
    """What came of a notification.

    Attributes:
        outcome: `sent`, `failed` or `invalid`.
        refused: Addresses that the guard refused: `127.0.0.1 port 80`.
        said: What Apprise warned of.
    """

    outcome: str
    refused: list[str]
    said: list[str]


def send(url: ServiceUrl, notification: Notification, *, policy: AddressPolicy, deadline_seconds: float) -> None:
    """Send one message.

    Raises:
        Rejected: The URL makes no sense to its service, or leads to a closed address.
        DeliveryError: The service did not take it, or not in time.
    """
    order = {
        "url": url.text,
        "schema": url.schema,
        "module": MODULES[url.schema],
        "title": notification.title,
        "body": notification.body,
        "policy": policy.to_json(),
    }
    report = _run(order, url, deadline_seconds)
    if report.outcome == "sent":
        return
    if report.outcome == "invalid":
        raise Rejected(f"{url.schema} cannot make sense of this URL; check it against the service's documentation")
    if report.refused:
        closed = ", ".join(dict.fromkeys(report.refused))
        raise Rejected(f"{url.schema} leads to {closed}, which is closed; see allowed_networks and allowed_ports")
    raise DeliveryError(f"{url.schema} did not take it: {_blot(report.said, url) or 'it gave no reason'}")


def _run(order: dict[str, Any], url: ServiceUrl, deadline_seconds: float) -> Report:
    process = subprocess.Popen(
        [sys.executable, "-I", "-B", child.__file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=_ENVIRONMENT,
        cwd="/",
        start_new_session=True,
        text=True,
    )
    with process:
        try:
            output, errors = process.communicate(json.dumps(order), timeout=deadline_seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            raise DeliveryError(f"{url.schema} did not answer within {deadline_seconds:g} seconds") from None
    if process.returncode != 0:
        raise DeliveryError(f"{url.schema} broke down: {_blot(errors.strip().splitlines()[-1:], url)}")
    return Report(**json.loads(output))


def _blot(lines: list[str], url: ServiceUrl) -> str:
    """Join what was said, without anything that stood in the URL."""
    text = "; ".join(lines)[:1000].replace("\x00", "\ufffd")
    for secret in secrets_of(url.text.partition("://")[2]):
        text = text.replace(secret, "***")
    return text
