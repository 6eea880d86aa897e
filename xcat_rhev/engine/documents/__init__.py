"""How a manager's documents are read and written."""
