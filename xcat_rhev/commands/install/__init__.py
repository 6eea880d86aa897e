"""What mkinstall is made of: the tables, the site, one node's settings, and its boot loader."""
