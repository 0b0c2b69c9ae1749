"""``copy`` and ``move`` members: of whole resources, and copies of some fields."""
