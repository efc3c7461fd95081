"""Complaints: sent by families and visitors, answered by officials in time, taken further if they are not solved."""
