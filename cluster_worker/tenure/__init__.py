"""One live owner of background work, and the fence that keeps an owner of the past from writing."""
