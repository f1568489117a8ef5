"""One module per command: wires the other folders and talks to the user."""
