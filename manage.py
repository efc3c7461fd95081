#!/usr/bin/env python
"""Django's command line for this project."""

import sys

from balabaqsha.command_line import main

if __name__ == "__main__":
    sys.exit(main(sys.argv))
