"""How lsvm and lsve show things: one engine, and a layout for each kind."""
