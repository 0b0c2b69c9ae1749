"""What a request says before its body: address, query, version, media types, conditions. Pure."""
