"""Disputed guardians: who is stopped, what is halted meanwhile, and the decision."""
