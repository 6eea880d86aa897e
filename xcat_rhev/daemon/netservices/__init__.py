"""DHCP, DNS, TFTP and HTTP of a site: from the tables to the files of the servers, and running those."""
