"""What a command plans: jobs of steps and waits, and what it knows when it plans."""
