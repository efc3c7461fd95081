"""Serve the portal: python -m balabaqsha.serving [--host 127.0.0.1] [--port 8000] [--app module:name]."""

import argparse
import os
import sys

from balabaqsha.serving.server import PORTAL, Unusable, plan, serve


def main() -> int:
    """Serve until SIGTERM or SIGINT; returns 1, with the reason in words, if that is impossible."""
    parser = argparse.ArgumentParser(prog="python -m balabaqsha.serving")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--app", default=PORTAL, help="another WSGI application to serve in the same way")
    arguments = parser.parse_args()
    try:
        chosen = plan(os.environ)
        for warning in chosen.warnings:
            print(warning, file=sys.stderr, flush=True)
        serve(chosen, host=arguments.host, port=arguments.port, app=arguments.app)
    except Unusable as reason:
        print(reason, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
