"""The HTTP contract of the reference app, as one suite for any server.

    pytest tests/e2e                                     in this process, local server and Worker
    pytest tests/e2e --target local                      one of them
    pytest tests/e2e --base-url http://localhost:8787    whatever answers there

Names are drawn at random, so the database need not be fresh. Tests that reach behind the server
ask for `backdoor`; they are left out where there is none (see ``--backdoor``).
"""
