"""Public access to files and directories, without a token."""
