"""What a city brings by file: reading CSV and XLSX, checking rows, loading them all or none, and undoing a batch.

From the ground up: `problems` and `columns` are words and rules, `delimited`, `workbook` and `table` read a file,
`kinds` says what a kind of import has to do, `running` runs one, `undoing` takes one back. What each kind loads is in a
module of its own; those that need applications are in `applications/city/`.
"""
