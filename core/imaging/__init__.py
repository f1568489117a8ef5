"""Pictures as arrays: reading and writing, colour, filters, drawing."""
