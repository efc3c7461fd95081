"""From an activated bid to the contract, or to the stop-list and back; and the public register of it."""
