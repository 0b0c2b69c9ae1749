"""What an administrator does with the storages of a provider, and with the spaces that it supports."""
