//! Scripts that are broken on purpose: what the simulation must find.

use tickwheel_store::script::Script;

/// A piece of a script's text, and what stands there instead.
#[derive(Debug)]
pub(crate) struct Mutation {
    /// What is wrong, in words.
    pub(crate) what: &'static str,
    /// The script as it is called; empty: every script that has the piece.
    pub(crate) script: &'static str,
    pub(crate) from: &'static str,
    pub(crate) to: &'static str,
    /// Where the search begins: a seed that has found it. What changes the simulation changes which those are; the search goes on then.
    pub(crate) seed: u64,
}

impl Mutation {
    pub(crate) fn script_text_has_it(&self, script: &Script) -> bool {
        (self.script.is_empty() || self.script == script.name())
            && script.text().contains(self.from)
    }

    pub(crate) fn apply(&self, script: &Script) -> String {
        script.text().replacen(self.from, self.to, 1)
    }
}

/// Each must be found, by whichever check.
pub(crate) const MUTATIONS: &[Mutation] = &[
    Mutation {
        what: "a settlement of an older attempt is taken",
        script: "lease/settle",
        from: "if holder ~= ARGV[base + 2] then",
        to: "if head and which[string.match(head, ' (%S+)')] ~= string.match(ARGV[base + 2], ' .*$') then",
        seed: 1,
    },
    Mutation {
        what: "whoever settles an attempt is believed",
        script: "lease/settle",
        from: "holder = head and attempt .. (which[worker] or ' -')",
        to: "holder = head and attempt .. string.match(ARGV[base + 2], ' .*$')",
        seed: 0,
    },
    Mutation {
        what: "whoever refuses an attempt is believed",
        script: "lease/release",
        from: "  if named and attempt .. (which[held.worker] or ' -') ~= ARGV[3 + 2 * i] then\n",
        to: "  if false then\n",
        seed: 2,
    },
    Mutation {
        what: "whoever maps for an attempt is believed",
        script: "fan/split",
        from: "elseif runs .. ' ' .. worker ~= holder then\n",
        to: "elseif false then\n",
        seed: 0,
    },
    Mutation {
        what: "a due time is fired and not written into the ledger",
        script: "wheel/turn",
        from: "  firing.flush_ledger(fields)\n",
        to: "",
        seed: 1,
    },
    Mutation {
        what: "a job's next firing is not armed",
        script: "wheel/turn",
        from: "  if not finished then\n    rearm(visit, fields, next, left)\n  end",
        to: "",
        seed: 1,
    },
    Mutation {
        what: "a claim does not plan a scan of the leases",
        script: "wheel/turn",
        from: "    redis.call('ZADD', keys.wheel, 'LT', claims.scan_at, '!reap')\n",
        to: "",
        seed: 2,
    },
    Mutation {
        what: "a lost lease has its context wait as after a failure",
        script: "lease/reap",
        from: "state = 'failed', retry_after = 0,",
        to: "state = 'failed', retry_after = 1,",
        seed: 2,
    },
    Mutation {
        what: "attempts of what runs again by hand are counted anew",
        script: "context/retry",
        from: "context_record.text(id, tonumber(attempt), 0, rest)",
        to: "context_record.text(id, 0, 0, rest)",
        seed: 26,
    },
    Mutation {
        what: "a scan does not plan the next one",
        script: "lease/reap",
        from: "    redis.call('ZADD', KEYS[1], at, '!reap')\n",
        to: "    redis.call('ZREM', KEYS[1], '!reap')\n",
        seed: 2,
    },
    Mutation {
        what: "a retry uses its attempt number again",
        script: "",
        from: "endings.wheel[#endings.wheel + 1] = context_record.text(id, held.attempt, failures, rest)",
        to: "endings.wheel[#endings.wheel + 1] = context_record.text(id, held.attempt - 1, failures, rest)",
        seed: 2,
    },
    Mutation {
        what: "what ended still holds its permit",
        script: "lease/settle",
        from: "  redis.call('HDEL', held_key, unpack(ids))\n",
        to: "",
        seed: 1,
    },
    Mutation {
        what: "a delay is not armed by its end",
        script: "lease/settle",
        from: "    arm_after_end(endings, now, job)\n",
        to: "",
        seed: 0,
    },
    Mutation {
        what: "the overlap policy is not asked",
        script: "wheel/turn",
        from: "  if active < overlap.active_max(policy, limit) then\n",
        to: "  if true then\n",
        seed: 1,
    },
    Mutation {
        what: "an ended context lets nobody of the queue start",
        script: "lease/settle",
        from: "  overlap_queue.start(endings.ready, now, job, policy, limit)\n",
        to: "",
        seed: 3,
    },
    Mutation {
        what: "what an earlier overlap policy let in is forgotten",
        script: "job/apply",
        from: "overlap_queue.note_surplus(job, fields.overlap, fields.overlap_limit, old[7])",
        to: "",
        seed: 86,
    },
    Mutation {
        what: "an outbox entry goes with its first offer",
        script: "wheel/turn",
        from: "    visit.outbox[#visit.outbox + 1] = wheel_entry.name_of(entry)\n    come_again(visit, visit.now + LOOK_AGAIN_MS, entry)\n",
        to: "    visit.outbox[#visit.outbox + 1] = wheel_entry.name_of(entry)\n",
        seed: 11,
    },
    Mutation {
        what: "what finds no permit is dropped",
        script: "wheel/turn",
        from: "      visits.make_ready(visit, id, counts, rest, options, member)\n    end\n  end\nend\n\nfunction fresh_claims.claim",
        to: "    end\n  end\nend\n\nfunction fresh_claims.claim",
        seed: 0,
    },
    Mutation {
        what: "followers are not told",
        script: "lease/settle",
        from: "    tell_followers(endings, now, job, { followers = followers, followed_by = followed_by or '' }, ended.id, ended.state)\n",
        to: "",
        seed: 32,
    },
    Mutation {
        what: "followers are told without consent",
        script: "lease/settle",
        from: "    if fits and not job_record.lets_follow(job, told.followed_by, follower) then\n",
        to: "    if false then\n",
        seed: 0,
    },
    Mutation {
        what: "what ends goes on to count under its limit",
        script: "lease/settle",
        from: "    usage.leave(values, now) -- last: a call that comes again must not count twice what left\n",
        to: "",
        seed: 0,
    },
    Mutation {
        what: "what ended is taken off its limit again with each turn",
        script: "wheel/turn",
        from: "    redis.call('LTRIM', keys.limit_released, shares.left_read, -1)\n",
        to: "",
        seed: 21,
    },
    Mutation {
        what: "a limit grants what was asked for, whoever else runs",
        script: "limit/share",
        from: "  local running = rules.concurrency and math.max(rules.concurrency - granted - reported.holds, 0) or math.huge\n",
        to: "  local running = math.huge\n",
        seed: 0,
    },
    Mutation {
        what: "a claim does not count under the limit of its key",
        script: "wheel/turn",
        from: "  if of_key and take(of_key) then\n",
        to: "  if of_key and false then\n",
        seed: 39,
    },
    Mutation {
        what: "a key that is counted by its name is not counted up",
        script: "wheel/turn",
        from: "    using_of[key_name] = using_of[key_name] + 1\n",
        to: "",
        seed: 56,
    },
    Mutation {
        what: "a key is not counted up where nothing else is limited",
        script: "wheel/turn",
        from: "  using_of[name] = using + 1\n",
        to: "",
        seed: 0,
    },
    Mutation {
        what: "a page of items that comes again is mapped again",
        script: "fan/split",
        from: "local skipped = math.min(taken - offset, count)\n",
        to: "local skipped = 0\n",
        seed: 1,
    },
    Mutation {
        what: "a part that ended well still counts as running",
        script: "lease/settle",
        from: "      fan.out = fan.out - 1\n      finishing.end_subtask(fan, n, false, result,",
        to: "      finishing.end_subtask(fan, n, false, result,",
        seed: 1,
    },
    Mutation {
        what: "parts wait outside the placement of their root",
        script: "",
        from: "(placement ~= '' and ' c=' .. placement or '')",
        to: "''",
        seed: 57,
    },
    Mutation {
        what: "a tracker is not told of the placement of parts that wait for certain workers",
        script: "wheel/turn",
        from: "    turn_report.tell_placement(told, queue) -- parts may wait for certain workers\n",
        to: "",
        seed: 5,
    },
];
