//! Scripts that say when they refuse an argument after they have written: refusing is the first thing a script does.

/// Stands in one line behind the first of a script, so that the lines of errors stay true. Of what a script calls with the names of
/// `redis` and `error` it takes note, and hands it on.
const WATCH: &str = "local redis, error = (function(redis, error) \
    local wrote = false \
    local reads = { TIME = 1, EXISTS = 1, TYPE = 1, GET = 1, STRLEN = 1, TTL = 1, PTTL = 1, MEMORY = 1, DBSIZE = 1, \
      HGET = 1, HMGET = 1, HGETALL = 1, HKEYS = 1, HVALS = 1, HLEN = 1, HEXISTS = 1, HSTRLEN = 1, HSCAN = 1, HRANDFIELD = 1, \
      LRANGE = 1, LLEN = 1, LINDEX = 1, LPOS = 1, SCARD = 1, SMEMBERS = 1, SISMEMBER = 1, SSCAN = 1, \
      ZCARD = 1, ZCOUNT = 1, ZRANGE = 1, ZRANGEBYSCORE = 1, ZREVRANGE = 1, ZREVRANGEBYSCORE = 1, ZRANGEBYLEX = 1, ZSCORE = 1, \
      ZMSCORE = 1, ZRANK = 1, ZSCAN = 1, ZLEXCOUNT = 1, XLEN = 1, XRANGE = 1, XREVRANGE = 1, XINFO = 1, OBJECT = 1 } \
    local function noting(call) return function(name, ...) wrote = wrote or not reads[name] return call(name, ...) end end \
    local watched = setmetatable({ call = noting(redis.call), pcall = noting(redis.pcall) }, { __index = redis }) \
    return watched, function(what, level) \
      if wrote and type(what) == 'table' and string.find(tostring(what.err), '^BAD_ARG') then \
        what = { err = 'WROTE BEFORE ' .. what.err } end \
      return error(what, level) end \
  end)(redis, error) ";

/// The text of a script that tells on itself.
pub(crate) fn watched(script: &str) -> String {
    let (first, rest) = script.split_once('\n').unwrap();
    format!("{first}\n{WATCH}{rest}")
}
