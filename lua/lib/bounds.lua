-- Module bounds: the limits that several scripts share.

local bounds = {}

bounds.LEASE_MS = 10000 -- a running lease where the context names none
bounds.GRACE_MS = 5000 -- between a cancellation and the end of its attempt
bounds.ATTEMPTS_MAX = 3 -- where the context names no max_attempts
bounds.ITEMS_MAX = 1000 -- of one call; unpack fails at 8,000 values and an item has up to four
bounds.REAP_STEP_MS = 250 -- lease scans of one partition are at least this far apart
bounds.HEARTBEAT_MS_MAX = 600000 -- a heartbeat is good for so long at most; one that says longer was written by nobody who lives
bounds.ATTEMPT_MAX = 4294967295 -- of attempts and failures: a greater number is damage, and nobody else could read it
bounds.INSTANT_MAX = 9007199254740991 -- ms; Lua's numbers are exact up to here

return bounds
