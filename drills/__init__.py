"""Drills of operators: the whole portal on one machine as it stands on several, and what befalls it there.

Programs, no part of the portal: bounded, on loopback, with servers and folders of their own.
"""
