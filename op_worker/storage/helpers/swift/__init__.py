"""The ``swift`` helper: files in blocks, each an object of a container of OpenStack Swift."""
