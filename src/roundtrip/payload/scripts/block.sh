# A raw device, or a file in its place, at DATA. The program has set EXTENTS: a line for each stretch of 4 KiB blocks
# that holds data, with its first block and its number of blocks.

# cannot_open WHAT SAID: whose the device is, and who asks, if that is why; SAID is what opening it gave. `test` is not
# asked: some shells answer for root without asking the kernel.
cannot_open() {
	case $2 in
	*'ermission denied'* | *'not permitted'*)
		whose=$(stat -L -c '%a %u:%g' "$DATA" 2>/dev/null) || whose='? ?'
		fail device "$1" "$whose $(id -u) $(id -G | tr ' ' ',') $2"
		;;
	*) fail volume "$1" "$2 $(ls -lL "$DATA" 2>&1) $(id 2>&1)" ;;
	esac
}

# sync_data: what is not on the disk is not in the snapshot.
sync_data() {
	said=$(dd if=/dev/null of="$DATA" bs=4096 count=0 conv=notrunc,fsync 2>&1) || fail volume 'sync' "$said"
}

put() {
	printf '%s\n' "$EXTENTS" | while read -r first count; do
		printf '%s\n' "block--- $((count * 4096)) $((first * 64))" | make "$1" |
			dd of="$DATA" bs=4096 seek="$first" conv=notrunc iflag=fullblock 2>&1 || exit 1
	done
}

write_data() {
	said=$(dd if=/dev/null of="$DATA" bs=4096 count=0 conv=notrunc 2>&1) || cannot_open 'open for writing' "$said"
	said=$(put before) || fail volume 'write blocks' "$said $(ls -lL "$DATA" 2>&1) $(id 2>&1)"
	sync_data
}

overwrite_data() {
	said=$(dd if=/dev/null of="$DATA" bs=4096 count=0 conv=notrunc 2>&1) || cannot_open 'open for writing' "$said"
	said=$(put after.) || fail volume 'overwrite' "$said"
	sync_data
	printf '%s\n' "$EXTENTS" | while read -r first _; do
		[ "$(begins "$first")" = "$SEED?after." ] || exit 1
	done || fail volume 'overwrite' 'the device still holds what it held before'
}

# area A VOLUME: where an area of the journal lies: the 4 KiB block behind one of those at each sixteenth of the device, PART blocks
# apart.
area() {
	file=$2
	first=$((PART * (16 / AREAS * $1 + 2) + 1))
}

# make_journal VOLUME: a device is there.
make_journal() { :; }

# begins BLOCK: whose data it is, as its first line says.
begins() { dd if="$DATA" bs=4096 skip="$1" count=1 iflag=fullblock 2>/dev/null | head -c 23 | tr -c 'a-z0-9.' '?'; }

measure() {
	said=$(dd if="$DATA" of=/dev/null bs=4096 count=0 2>&1) || cannot_open 'read blocks' "$said"
	printf '%s\n' "$EXTENTS" | while read -r first count; do
		digest=$(dd if="$DATA" bs=4096 skip="$first" count="$count" iflag=fullblock 2>/dev/null | sha256sum)
		printf 'b %s %s %s\n' "$first" "${digest%% *}" "$(begins "$first")"
	done
}

# room: WANTED, if the device has its last block; else nothing is known but that it is smaller.
room() {
	bytes=$(dd if="$DATA" bs=4096 skip=$((WANTED / 4096 - 1)) count=1 iflag=fullblock 2>/dev/null | wc -c | tr -d ' ')
	if [ "$bytes" = 4096 ]; then printf '%s\n' "$WANTED"; else printf '0\n'; fi
}
