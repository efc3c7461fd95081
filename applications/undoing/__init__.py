"""What was done by mistake: a worker asks to undo it, an official decides. Nothing is oversold, nobody displaced."""
