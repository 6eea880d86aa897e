"""What the commands for virtual machines share: what tables say, what is looked up, what steps are made of it."""
