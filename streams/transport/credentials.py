"""The options of a secured Kafka client as Faust wants them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import faust


def credentials(options: Mapping[str, Any]) -> faust.SSLCredentials | faust.SASLCredentials | None:
    """From the keywords of aiokafka's clients (security_protocol, ssl_context, sasl_…); None for a plain connection."""
    context = options.get("ssl_context")
    if "sasl_mechanism" in options:
        return faust.SASLCredentials(
            username=options["sasl_plain_username"],
            password=options["sasl_plain_password"],
            ssl_context=context,
            mechanism=options["sasl_mechanism"],
        )
    return faust.SSLCredentials(context) if context else None
