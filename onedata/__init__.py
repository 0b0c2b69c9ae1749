"""The vocabulary that every Onedata system shares: ids, errors, tokens, privileges, Graph Sync."""
