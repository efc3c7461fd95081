"""What a city brings by file and only applications can judge: groups, vacancies, enrolled children; and all kinds."""
