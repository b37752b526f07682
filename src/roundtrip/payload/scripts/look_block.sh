# Looks at a raw device, or a file in its place, at DATA, whose content nobody knows. The program has set READ_SECONDS.

MIB=1048576
# A call of dd reads so many MiB.
PIECE=64

# said: what dd complained of when it read the last piece; "records" are no complaint.
said() { grep '^dd: ' "$HANDOVER/said" | tr -c ' -~\n' '?' | head -n 1 | cut -c1-600; }

look() {
	for tool in date grep; do
		command -v "$tool" >/dev/null || fail image 'look for tools' "$tool: not found"
	done
	said=$(dd if="$DATA" of=/dev/null bs=4096 count=0 2>&1) || cannot_open 'read blocks' "$said"
	until=$(($(date +%s) + READ_SECONDS))
	pieces=0
	data=0
	rest=0
	end=early
	wrong=
	while [ "$(date +%s)" -lt "$until" ]; do
		found=$(dd if="$DATA" bs=$MIB skip=$((pieces * PIECE)) count=$PIECE iflag=fullblock 2>"$HANDOVER/said" |
			tr -d '\000' | wc -c | tr -d ' ')
		data=$((data + found))
		wrong=$(said)
		case $(cat "$HANDOVER/said") in
		*"$PIECE+0 records in"*) ;;
		*)
			end=end
			[ -n "$wrong" ] || rest=$(dd if="$DATA" bs=$MIB skip=$((pieces * PIECE)) count=$PIECE iflag=fullblock 2>/dev/null |
				wc -c | tr -d ' ')
			break
			;;
		esac
		pieces=$((pieces + 1))
	done
	printf 'd %s %s %s\nx %s\n' "$((pieces * PIECE * MIB + rest))" "$end" "$data" "$wrong"
}
