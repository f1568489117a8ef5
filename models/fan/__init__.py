"""FAN: an extractor of landmarks, trained on photographs."""
