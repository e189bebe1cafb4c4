"""Write an e-mail so that nothing a buyer or merchant typed can add a header or a recipient. Pure."""

import unicodedata
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from email_validator import EmailNotValidError, validate_email

from bitcart_core import Rejected

_SUBJECT_CHARACTERS = 200


def parse_address(text: str, *, name: str = "") -> Address:
    """Read one e-mail address.

    Args:
        text: An address, or a name with an address in angle brackets.
        name: For people; used where the text has none of its own.

    Raises:
        Rejected: Not exactly one address; sending it would never work.
    """
    try:
        found = validate_email(
            text.strip(), allow_display_name=True, check_deliverability=False, globally_deliverable=False, strict=True
        )
    except EmailNotValidError as error:
        raise Rejected(f"{text[:100]!r} is not an e-mail address: {error}") from error
    return Address(
        display_name=one_line(found.display_name or name), username=found.local_part, domain=found.ascii_domain
    )


def compose(text: str, *, sender: Address, recipient: Address, message_id: str, sent_at: datetime) -> EmailMessage:
    """Make a message of a rendered text.

    Args:
        text: Its first line is the subject, the rest the message.
        sender: With the name to show.
        recipient: The only one.
        message_id: Without brackets; the same over retries, so that a mailbox can drop the second copy.
        sent_at: The event's own time, the same over retries too.
    """
    subject, _, body = clean(text).lstrip().partition("\n")
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = recipient
    message["Subject"] = one_line(subject)[:_SUBJECT_CHARACTERS]
    message["Date"] = format_datetime(sent_at)
    message["Message-ID"] = f"<{message_id}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: out-of-office replies stay away
    message.set_content(body.strip() + "\n")
    return message


def clean(text: str) -> str:
    """Drop what cannot stand in a mail: half characters and control characters other than line ends and tabs."""
    whole = text.encode("utf-8", "replace").decode("utf-8").replace("\r\n", "\n")
    return "".join(c for c in whole if c in "\n\t" or unicodedata.category(c) != "Cc")


def one_line(text: str) -> str:
    """Join words with single spaces; a header made of it stays one header."""
    return " ".join(clean(text).split())
