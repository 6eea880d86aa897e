#!/usr/bin/python3 -IS
"""What a hypervisor fetches at the end of its install: http://<master>/xcatrhevh/rhevh_finish_install/<hostname>.

Needs only Python and the xcat_rhev folder, beside this file's folder or among the system's packages. The interpreter
starts isolated and without site-packages, which halves the time until the answer.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
try:
    from xcat_rhev.web.app import serve_cgi
except ModuleNotFoundError:
    import site

    site.main()
    from xcat_rhev.web.app import serve_cgi

serve_cgi()
