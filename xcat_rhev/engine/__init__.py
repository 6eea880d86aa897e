"""All that speaks to a manager (RHEV-M, RHV-M, oVirt Engine) by its REST API, v3 and v4."""
