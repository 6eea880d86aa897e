"""The embedded xcatd, for machines without xCAT.

One thread waits for all sockets (`loop`), and requests run in threads that take turns at it (`leader`). Two simpler
designs were measured with `share/bench/xcatd.py` and the same commands below them: a thread for each connection, and
asyncio for the sockets with a pool of threads for the work. What they took, in parts of what ours takes, on a machine
with two busy processors:

| | a thread each | 64 threads in all | asyncio |
|---|---|---|---|
| memory with 500 idle connections | 1.3, beyond the limit | 0.9 | 2.3, beyond the limit |
| processor for each of 200 clients at once | 1.2 to 1.8 | no answer while the idle ones hold the threads | 1.1 |

asyncio reads into a quarter of a MiB for each TLS connection. Neither design knows whose turn it is: that root comes
first, and that no stranger and no user takes all of it (`crowd`, `turns`), would have to be added to both.
"""
