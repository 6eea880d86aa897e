"""What `chhypervisor` and `rmhypervisor` do with hosts: one module per concern."""
