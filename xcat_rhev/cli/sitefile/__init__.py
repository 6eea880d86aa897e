"""`xcat-rhev site FILE`: from bare machines to a data center, in the order of what needs what."""
