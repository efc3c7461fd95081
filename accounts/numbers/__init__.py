"""Numbers of accounts: how one is changed, moved after it was lost, or lost to whoever has it now.

`rules` says what needs which wait, `moves` asks for a move, stops and performs it, `claims` is about recycled numbers,
`concerned` is where apps above say what holds a move and who else is told. docs/accounts.md tells the whole.
"""
