"""How a command declares itself: name, words, options, where it runs."""
