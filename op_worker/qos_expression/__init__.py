"""Expressions that choose storages by their parameters, as requirements and placement write them."""
