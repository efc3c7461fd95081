"""Bids for vacancies: who may press the button, what a press does, who gets the place, and how a bid ends."""
