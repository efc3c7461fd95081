"""Spreadsheets that a worker makes for an employee, who sees how far each is and downloads it within a day."""
