"""What answers an installed hypervisor over HTTP: least possible code, light enough for a CGI, no write anywhere.

`callers` finds out who asks, `nodemap` which node that is, `notify` tells the xcatd on this host, `page` shows people
how far the nodes are, and `app` is the application that the CGI and a WSGI server run.
"""
