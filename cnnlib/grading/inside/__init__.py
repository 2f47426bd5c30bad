"""What runs inside the sandbox: copied into it as it is, so it imports nothing of cnnlib.

``wire`` is shared with the trusted side. ``warm`` is the sandbox's first process: it imports what is slow,
once, and forks a fresh process for each submission. ``cells`` runs a student's cells there and answers
calls. ``stand_ins`` takes the place of the parts of cnnlib that stay outside.
"""
