"""How requests travel to a manager: transport, layers, trust, session, faults."""
