"""A kindergarten or a group closes, opens again, or was closed by mistake."""
