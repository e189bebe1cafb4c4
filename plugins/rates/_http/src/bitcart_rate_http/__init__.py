"""What rate sources on the web share: one bounded request, and a healthy doubt about what comes back."""

from bitcart_rate_http.doubt import MAX_RATE, MIN_RATE, credible_rate, to_decimal
from bitcart_rate_http.service import Answer, PriceService, RateSettings

__all__ = ["MAX_RATE", "MIN_RATE", "Answer", "PriceService", "RateSettings", "credible_rate", "to_decimal"]
