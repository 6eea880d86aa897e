"""What `cfgve` and `lsve` know about each kind of object: one module per kind."""
