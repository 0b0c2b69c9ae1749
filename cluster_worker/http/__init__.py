"""The HTTP door frame that every daemon uses: streaming requests, TLS, errors, access log."""
