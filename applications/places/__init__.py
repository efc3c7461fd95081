"""How many places of a group are taken or promised, and how many are left."""
