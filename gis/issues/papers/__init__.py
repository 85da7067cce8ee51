"""Official papers: what each says as plain values, its number of the year, and its form in Word."""
