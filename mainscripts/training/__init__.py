"""What `train` is made of: its options, one run of the loop with its files, and what it shows."""
