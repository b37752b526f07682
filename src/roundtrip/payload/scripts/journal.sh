# A journal beside the data: a ring of records of 512 bytes in AREAS areas of 4 KiB. A record lies in another area than the one before,
# so that a snapshot that is taken piece by piece shows. The program has set AREAS, SLOTS (of an area) and FILLED (so many records
# fill the ring); the script of the volume has `area`.

# record N VOLUME: writes the record with this number into its slot, and syncs it. Each of its lines has seed and number.
record() {
	area $(($1 % AREAS)) "$2"
	said=$(printf 'journal- 512 %s\n' $(($1 * 8)) | make before |
		dd of="$file" bs=512 seek=$((first * 8 + $1 / AREAS % SLOTS)) conv=notrunc,fsync iflag=fullblock 2>&1) ||
		fail volume "write record $1" "$said"
	case $said in
	*'1+0 records out'*) ;;
	*) fail volume "write record $1" "$said" ;;
	esac
}

# fill_journal VOLUME: the records that are there before anything is reported.
fill_journal() {
	make_journal "$1"
	recorded=0
	while [ "$recorded" -lt "$FILLED" ]; do
		recorded=$((recorded + 1))
		record "$recorded" "$1"
	done
	sync_data
}

# hold_recording: as `hold`, but goes on writing records until TERM. The pause leaves most of a core to others.
hold_recording() {
	trap release TERM
	report wrote measure_journal
	while :; do
		recorded=$((recorded + 1))
		record "$recorded" "$DATA"
		sleep 0.1 2>/dev/null || sleep 1
	done
}

# measure_journal [VOLUME]: how the digest of each slot begins, one area after the other.
measure_journal() {
	printf j
	slot=0
	while [ "$slot" -lt $((AREAS * SLOTS)) ]; do
		area $((slot / SLOTS)) "${1-$DATA}"
		digest=$(dd if="$file" bs=512 skip=$((first * 8 + slot % SLOTS)) count=1 iflag=fullblock 2>/dev/null | sha256sum)
		printf ' %.16s' "$digest"
		slot=$((slot + 1))
	done
	printf '\n'
}
