"""RHEV-H, RHVH and oVirt for xCAT: install hypervisors and run virtual machines from the xCAT command line."""

__version__ = "0.1.0"
