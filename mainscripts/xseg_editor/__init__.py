"""The editor of polygons: a document without a toolkit, and a window on it."""
