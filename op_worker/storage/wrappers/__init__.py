"""Helpers around helpers: the same contract, with something added."""
