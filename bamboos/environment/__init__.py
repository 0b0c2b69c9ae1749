"""Whole environments of zones and providers, as local processes, from one JSON description.

Standard library only: an environment can be raised by any Python 3.11, and the daemons are talked
to as a user would, by processes, files and REST.
"""
