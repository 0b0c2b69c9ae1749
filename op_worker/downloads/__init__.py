"""Whole directories as archives that can be resumed."""
