"""Its place here lets tests import `fakes`."""
