"""The embedded xcatd, for machines without xCAT."""
