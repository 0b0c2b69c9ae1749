"""The tree below ``cdmi_domains``: the spaces of the caller as the standard shows domains."""
