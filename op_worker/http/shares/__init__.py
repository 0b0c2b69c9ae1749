"""Plain HTTP access to shared files: for browsers, for curl, without a token."""
