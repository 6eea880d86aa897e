"""From a request to a command's messages."""
