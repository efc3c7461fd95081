"""What a city brings by file and only applications can judge, and how all of it leaves again (`export`)."""
