"""``oneprovider``, the command of those who administer a provider."""
