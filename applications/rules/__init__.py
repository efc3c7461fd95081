"""The periods and sizes of `Rules`: which are in force, and what follows from them. No statement but theirs."""
