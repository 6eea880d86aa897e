"""The parts of mkinstall: the tables, the site, one node's settings, and its boot loader."""
