"""What officials read about their localities: counts over months, by place, year, language and month."""
