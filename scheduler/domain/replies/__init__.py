"""What a patient's words mean. Begin with `interpret`, which reads a text by the words of its languages."""
