# Looks at a volume with a file system, mounted at DATA, whose files nobody knows. The program has set READ_SECONDS. What is at its
# top and no workload's is left out: an ext file system's lost+found, and the snapshots that some NFS storage shows as a folder.

# walk EXPRESSION...: find below DATA, in this file system alone.
walk() {
	find "$DATA" -xdev \( -path "$DATA/lost+found" -o -path "$DATA/.snapshot" \) -prune -o "$@"
}

# faults: of what find, stat and cat complain: how often something was closed to this user, how often something else went wrong, and
# the first of that.
# shellcheck disable=SC2016
FAULTS='
	/(Permission denied|Operation not permitted)$/ { closed++; next }
	{ if (wrong++ == 0) first = substr($0, 1, 600) }
	END { printf "%d %d %s\n", closed, wrong, first }'
faults() { tr -c ' -~\n' '?' | awk "$FAULTS"; }

look() {
	for tool in date df timeout; do
		command -v "$tool" >/dev/null || fail image 'look for tools' "$tool: not found"
	done
	# The first digit of a mode in hexadecimal digits is the type: 8 is a file, 4 a folder.
	# shellcheck disable=SC2016
	count='/^8/ { files++; bytes += $2 } /^4/ { folders++ } END { printf "%.0f %.0f %.0f\n", files, folders, bytes }'
	until=$(($(date +%s) + READ_SECONDS))
	half=$((READ_SECONDS / 2 + 1))
	seen=$({ walk -exec stat -c '%f %s' {} + | timeout "$half" cat | awk "$count" >"$HANDOVER/counted"; } 2>&1 |
		without_pipes | faults)
	left=$((until - $(date +%s)))
	if [ $((READ_SECONDS - left)) -ge "$half" ]; then counted=early; else counted=end; fi
	[ "$left" -gt 0 ] || left=1
	said=$({ walk -type f -exec cat {} + | timeout "$left" cat | wc -c | tr -d ' ' >"$HANDOVER/read"; } 2>&1 |
		without_pipes | faults)
	if [ "$(date +%s)" -ge "$until" ]; then end=early; else end=end; fi
	printf 's %s %s\n' "$(room)" "$([ -d "$DATA/lost+found" ] && printf formatted)"
	printf 'c %s %s\nr %s %s\n' "$(cat "$HANDOVER/counted")" "$counted" "$(cat "$HANDOVER/read")" "$end"
	printf 'w %s\nx %s\n' "$seen" "$said"
}

# without_pipes: a reader whose time is up closes the pipe, and what still writes into it complains.
without_pipes() { sed -e '/^stat: write error: Broken pipe$/d' -e '/^cat: write error: Broken pipe$/d' -e '/^Terminated$/d'; }
