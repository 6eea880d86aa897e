"""What mod_wsgi loads; any other WSGI server takes `xcat_rhev.web.app:application` directly."""

from xcat_rhev.web.app import application

__all__ = ["application"]
