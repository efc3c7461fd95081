"""The demo city: a believable Turkistan for visitors, developers and the browser tests, and a desk to look behind it.

`setup_demo` builds it step by step (`city`); nothing here is imported outside demo mode.
"""
