"""The HTTP frame that every daemon's doors stand in: site, streaming bodies, errors, TLS, access log."""
