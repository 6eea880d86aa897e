"""What xCAT fixes: wire format, tables, noderange, routing, policy, and the Host contract. No RHEV knowledge."""
