"""What programs that watch the portal read at `/metrics` (docs/adr/0034-metrics.md)."""
