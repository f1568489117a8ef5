"""Model files of DeepFaceLab: their names, layouts and options, read and written."""
