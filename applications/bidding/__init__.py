"""Bids for vacancies: who may press, what a press does, who gets the place, and how a bid ends."""
