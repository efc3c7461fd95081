"""What one employee proposes and an official carries out: rules, groups, counts of children."""
