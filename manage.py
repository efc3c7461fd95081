#!/usr/bin/env python
"""Django's command line for this project."""

import signal
import sys

if __name__ == "__main__" and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    # Ctrl-C while modules are loaded is no reason for a traceback; `main` puts it right.
    signal.signal(signal.SIGINT, signal.SIG_DFL)

from balabaqsha.command_line import main

if __name__ == "__main__":
    sys.exit(main(sys.argv))
