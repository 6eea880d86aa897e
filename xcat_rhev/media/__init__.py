"""Installation media: what they are, what of them is served, and the words that a kernel is started with.

Knows nothing of xCAT's tables or of a manager; reads ISO images by itself, without mounting them.
"""
