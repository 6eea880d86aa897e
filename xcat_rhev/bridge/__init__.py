"""The agent behind the Perl shim, for machines with xCAT."""
