"""Lists of children as a kindergarten prints them or takes them along as a file."""
