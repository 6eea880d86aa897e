"""Kits with which xCAT installs managers, and hosts with a full Linux: facts of releases, and files made of them."""
