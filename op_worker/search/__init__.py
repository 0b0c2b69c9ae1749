"""Finding files of a space by what is known of them, in an index kept by a reader of the change feed."""
