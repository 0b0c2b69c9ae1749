"""Pages of directories and of whole trees."""
