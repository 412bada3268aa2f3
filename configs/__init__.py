"""What each service is told: pure functions from settings to data to text, and the table of versions."""
