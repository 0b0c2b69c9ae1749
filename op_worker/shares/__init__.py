"""Public access to shared files: what a share may be called, its password, and the end of its time."""
