# Shared by all scripts. The program has set SEED, MIX and SELFTEST; the pod has set DATA and TERMINATION_LOG,
# and the reader's HANDOVER.
# Only what busybox has in common with coreutils, awk and find is used, and nothing is written but to these paths.
LC_ALL=C
export LC_ALL
umask 007
# The first process of a container gets only the signals that it has a handler for.
trap 'exit 1' TERM

# say TEXT: the container's termination message; at most 4096 bytes of it are kept.
say() { printf '%s' "$1" >"$TERMINATION_LOG"; }

# tell_end: what comes after this script in its pod learns that it has ended, however it did.
tell_end() { trap '(: >"$HANDOVER/ended") 2>/dev/null' EXIT; }

# fail BLAME WHAT TEXT: BLAME is image, volume or node.
fail() {
	say "snapready/1 failed $1 $2: $(printf '%s' "$3" | tr '\n' ' ' | cut -c1-800)"
	exit 1
}

# One program makes all content. Each line of its input is: id, bytes, number of the first line, path (may be empty:
# standard output). Each line that it makes has 64 bytes and says whose it is and where it belongs.
# shellcheck disable=SC2016
MAKE='{
	path = $0
	sub(/^[^ ]+ [^ ]+ [^ ]+ ?/, "", path)
	n = $3
	for (bytes = $2; bytes > 0; bytes -= 64) {
		line = sprintf("%s %s %s %012.0f %010.0f SNAPRD\n", S, P, $1, n, (n * 48271 + M) % 2147483647)
		if (bytes < 64) line = substr(line, 1, bytes)
		if (path == "") printf "%s", line
		else printf "%s", line > (ENVIRON["R"] "/" path)
		n++
	}
	if (path != "") close(ENVIRON["R"] "/" path)
}'

# make PHASE: content for each line of standard input.
make() { awk -v S="$SEED" -v M="$MIX" -v P="$1" "$MAKE"; }

# An image without these tools, or with others under their names, is found out before the volume is touched.
tools() {
	for tool in awk cat chmod cut dd find head id ln ls mkdir readlink rm sha256sum sleep stat sync tr wc; do
		command -v "$tool" >/dev/null || fail image 'look for tools' "$tool: not found"
	done
	found=$(printf 'selftest 200 7\n' | make before | sha256sum)
	[ "${found%% *}" = "$SELFTEST" ] || fail image 'test the tools' "awk and sha256sum gave ${found%% *} instead of $SELFTEST"
}

# hold: keeps the volume in use until TERM, then changes it as a live workload would.
hold() {
	trap 'kill "$sleeper" 2>/dev/null; release' TERM
	report wrote
	while :; do
		sleep 60 &
		sleeper=$!
		wait "$sleeper"
	done
}

release() {
	case $(cat "$TERMINATION_LOG") in
	*confirmed) overwrite && exit 0 ;;
	*) fail node 'hold the volume' 'ended before the postStart hook had succeeded' ;;
	esac
}

# The number of the last record of a journal that was begun, if one is kept.
recorded=

overwrite() {
	overwrite_data
	[ -z "$recorded" ] || printf '\nsnapready/1 recorded %s' "$recorded" >>"$TERMINATION_LOG"
	printf '\nsnapready/1 overwrote %s' "$SEED" >>"$TERMINATION_LOG"
}

# report VERB [MORE]: what is measured; the last line is what MORE measures, if it is given.
report() {
	measured=$(measure) || exit 1
	more=
	[ -z "${2-}" ] || more="
$("$2")" || exit 1
	say "snapready/1 $1 $SEED
$measured$more
end"
}

# size: the line that says how large the volume is.
size() {
	printf 's '
	room
}
