"""The bytes of files: reading, replacing, writing in place, appending, copying, checking."""
