-- Module args/forms: arguments, and positions of earlier replies, that have parts. Whoever asks refuses what is none.
local forms = {}
local find, gmatch, match = string.find, string.gmatch, string.match

function forms.is_digits(text)
  return find(text, '^%d+$') ~= nil
end

function forms.is_word(text)
  return find(text, '^%S+$') ~= nil
end

-- An entry of a stream, `<ms>-<n>`.
function forms.is_entry(text)
  return find(text, '^%d+%-%d+$') ~= nil
end

-- A cursor, of whatever key it is: a number, or an entry of a stream.
function forms.is_cursor(text)
  return not find(text, '[^%d%-]')
end

-- A score as Redis prints it.
function forms.is_score(text)
  return text == 'inf' or text == '-inf' or find(text, '^%-?%d+[%d%.e%+%-]*$') ~= nil
end

-- Words separated by white space.
function forms.each_word(text)
  return gmatch(text, '%S+')
end

-- The place of each worker of a list, from 1 on, with a space in front of it.
function forms.places_of(workers)
  local count, which = 0, {}
  for worker in gmatch(workers, '%S+') do
    count = count + 1
    which[worker] = ' ' .. count
  end
  return which
end

-- The attempt of `<attempt> <worker or its place>`, as a text; nil for another text.
function forms.attempt_of(holder)
  return match(holder, '^(%d+) %S+$')
end

-- The number that a text begins with, as a text.
function forms.number_before(text)
  return match(text, '^%d+')
end

-- `<random> <delay ms> <message>`.
function forms.is_payload(text)
  return find(text, '^%d%d?%d?%d?%d?%d? %d+ ') ~= nil
end

function forms.split_payload(text)
  return match(text, '^(%d+) (%d+) (.*)$')
end

-- `<id> <attempt>:<failures> <group> <handler> <priority>`: a context that waits to be split.
function forms.split_waiting(text)
  return match(text, '^(%S+) (%d+:%d+) (%S+) (%S+) ([0-4])$')
end

-- `<priority> <options>`.
function forms.is_options(text)
  return find(text, '^[0-4] %S+$') ~= nil
end

-- Handler, `<priority> <options>`, and a word behind them with the space in front of it, or ''.
function forms.split_handler(text)
  return match(text, '^(%S+) ([0-4] %S+)( ?%a*)$')
end

function forms.is_when_reduced(text)
  return find(text, '^[es][nu]%l+$') ~= nil
end

function forms.is_digits_or_empty(text)
  return find(text, '^%d*$') ~= nil
end

function forms.is_numbers(text)
  return find(text, '^[%d,]*$') ~= nil
end

-- `<number> <body>`.
function forms.is_part(text)
  return find(text, '^%d+ ') ~= nil
end

function forms.split_part(text)
  return match(text, '^(%d+) (.*)$')
end

-- What can be told of an upstream's end: nothing in it separates options.
function forms.is_told(text)
  return not find(text, '[%s,=]')
end

-- `<keep ms> <dedup key>`, and a word behind it with the space in front of it, or ''.
function forms.split_dedup(text)
  return match(text, '^(%d+) (%S+)( ?%a*)$')
end

-- The same without a word.
function forms.split_plain_dedup(text)
  return match(text, '^(%d+) (%S+)$')
end

-- `<ms> <burst>`.
function forms.split_rate(text)
  return match(text, '^(%d+) (%d+)$')
end

-- The mark of a line of a log: a level, and at most nine digits.
function forms.is_mark(text)
  return find(text, '^[tdiwe]%d%d?%d?%d?%d?%d?%d?%d?%d?$') ~= nil
end

-- `<name> <value>` on each line.
function forms.each_named_line(text)
  return gmatch(text, '(%S+) ([^\n]*)\n?')
end

-- A position `<number>:<n>`, as two texts.
function forms.split_position(text)
  return match(text, '^(%d+):(%d+)$')
end

-- A position `<entry of a stream>:<n>`.
function forms.split_entry_position(text)
  return match(text, '^(%d+%-%d+):(%d+)$')
end

-- A position `<score>:<n>`; a score is whatever Redis prints.
function forms.split_score_position(text)
  local score, skip = match(text, '^(%-?[%d.e+-]+):(%d+)$')
  if tonumber(score) then
    return score, skip
  end
  return match(text, '^(%-?inf):(%d+)$')
end

-- A border `=<score>`, or `<<score>` behind it: its mark, and the score.
function forms.split_bound(text)
  local mark, score = match(text, '^([=<])(%-?[%d.e+-]+)$')
  if tonumber(score) then
    return mark, score
  end
  return match(text, '^([=<])(%-?inf)$')
end

-- A position `<number>:<id>`.
function forms.split_id_position(text)
  return match(text, '^(%d+):([!-~]+)$')
end

-- The milliseconds of an entry of a stream.
function forms.ms_of_entry(text)
  return match(text, '^(%d+)%-')
end

-- Whether a text is one word that a person can be shown.
function forms.is_plain(text)
  return find(text, '^[!-~]+$') ~= nil
end

-- The same of several words.
function forms.is_line(text)
  return find(text, '^[ -~]+$') ~= nil
end

-- A position `<queue> <position in it>`, and one of a job: `<job> <position in its queue>`.
function forms.split_queue_position(text)
  return match(text, '^(.+) (%S*)$')
end

function forms.split_job_position(text)
  return match(text, '^(%S+) (.*)$')
end

-- A position `<phase>/<place in it>`.
function forms.split_phase(text)
  return match(text, '^(%a+)/(.*)$')
end

-- The digest of a text that is told as `sha1:<digest>`, and the bytes of one that is told as `hex:<digits>`; nil for another text.
function forms.digest_of(text)
  return match(text, '^sha1:(%x+)$')
end

function forms.bytes_of(text)
  local hex = match(text, '^hex:(%x*)$')
  return hex and (string.gsub(hex, '%x%x', function(byte)
    return string.char(tonumber(byte, 16))
  end))
end

return forms
