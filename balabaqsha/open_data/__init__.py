"""The portal's public data for programs, read-only: `/api/v1/`, and the page that explains it to people."""
