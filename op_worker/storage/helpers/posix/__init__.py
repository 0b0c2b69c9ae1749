"""Files below a folder of this machine."""
