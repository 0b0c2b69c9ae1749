"""The HTTP doors of a provider."""
