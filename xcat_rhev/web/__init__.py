"""The finish URL: what an installed hypervisor fetches."""
