"""The engine simulator: speaks the same bytes as a manager and shares no code with the client."""
