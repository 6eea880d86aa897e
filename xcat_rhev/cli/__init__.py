"""`xcat-rhev`, the program people type."""
