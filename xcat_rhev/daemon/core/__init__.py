"""The few xCAT commands that the flow needs where no Perl xCAT is."""
