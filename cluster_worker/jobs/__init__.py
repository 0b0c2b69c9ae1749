"""Background jobs: long walks that are kept in the store, limited, shown, and gone on with after a crash."""
