"""What is written in files: pathways and message templates, read, checked and rendered."""
