"""Every error the framework raises on purpose, in one tree split by who must act.

BitcartError
├─ ConfigError           the operator: plugins.toml, environment        -> stop at boot, exit 2
├─ InputError            the caller: bad amount, unknown coin           -> 422
│  ├─ NotFoundError      no such object, or not the caller's            -> 404
│  └─ ForbiddenError     the caller may not do this                     -> 403
├─ CoinError             the daemon                                     -> retry, then alert
│  ├─ CoinUnreachable    did not answer in time                         -> 503
│  └─ CoinRefused        answered with an error of its own
├─ RateUnavailable       no rate source has a fresh price               -> 422
└─ DeliveryError         the recipient: try again, or after a while     -> retry
   └─ Rejected           the recipient will never take it               -> give up, keep the record
"""


class BitcartError(Exception):
    """Base of everything raised on purpose; a caller may catch this and nothing else."""


class ConfigError(BitcartError):
    """The operator must act: the message names the table or variable, its value and the remedy."""


class InputError(BitcartError):
    """The caller must act.

    Args:
        message: What is wrong with which value, and the remedy.
        field: The name of the offending field as the caller knows it, or None if it is the whole request.
    """

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class NotFoundError(InputError):
    """No such object, or it belongs to someone else; the two are never told apart."""


class ForbiddenError(InputError):
    """The caller is known and may not do this."""


class CoinError(BitcartError):
    """The daemon of a coin failed to do what it was asked.

    Args:
        message: What was asked and what went wrong.
        code: The daemon's error code (contract: daemon errors in `/spec`), if it sent one.
    """

    def __init__(self, message: str, *, code: int | None = None) -> None:
        super().__init__(message)
        self.code = code


class CoinUnreachable(CoinError):  # noqa: N818 - the state of the coin, read as a sentence
    """The daemon did not answer within the deadline; asking again later may work."""


class CoinRefused(CoinError):  # noqa: N818
    """The daemon answered, and the answer is no; asking the same again will not help."""


class RateUnavailable(BitcartError):  # noqa: N818
    """No rate source has a price fresh enough to ask money for."""


class DeliveryError(BitcartError):
    """The recipient did not take a delivery; it will be tried again.

    Args:
        message: What the recipient said or did.
        retry_after_seconds: How long the recipient asked us to wait, or None for the usual schedule.
        detail: What to keep in the delivery log, such as a status code or an excerpt of the answer.
    """

    def __init__(
        self, message: str, *, retry_after_seconds: float | None = None, detail: dict[str, object] | None = None
    ) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds
        self.detail = detail or {}


class Rejected(DeliveryError):  # noqa: N818
    """The recipient will never take this delivery: stop trying, keep the record."""


def in_one_line(error: BaseException) -> str:
    """Return the class and the text of an error as a part of a sentence."""
    return " ".join(f"{type(error).__name__}: {error}".split())
