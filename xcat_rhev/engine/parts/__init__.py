"""What single kinds of things need beside find, create, change and remove."""
