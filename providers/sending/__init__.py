"""The one way over the wire: transport, rate, retry, errors, redaction."""
