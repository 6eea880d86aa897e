"""What happens when a hypervisor reports that its installation has ended."""
