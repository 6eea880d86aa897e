"""`xcat-rhev install`, `uninstall` and `doctor`: into a Perl xCAT, out again, and is it well there."""
