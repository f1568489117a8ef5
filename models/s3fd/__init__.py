"""S3FD: a detector of faces, trained on photographs."""
