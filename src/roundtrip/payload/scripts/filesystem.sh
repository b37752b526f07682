# A volume with a file system, mounted at DATA. The program has set FILES (one line per file, as `make` reads it, below
# the folder R), FOLDERS, SPARSE (id, offset in 4 KiB blocks; the file's other blocks are holes), LARGE and OTHERS (FILES without that line).
R=$DATA/snapready
export R

sync_data() {
	# What is not on the disk is not in the snapshot. syncfs also covers folders and the link.
	sync -f "$R/." 2>/dev/null || sync || fail volume 'sync' 'sync failed'
}

write_data() {
	printf '%s\n' "$FOLDERS" | while read -r folder; do
		mkdir -p "$R/$folder" || exit 1
	done 2>/dev/null || fail volume 'make folders' "$(mkdir -p "$R" 2>&1; ls -ld "$DATA" 2>&1; id 2>&1)"
	said=$(printf '%s\n' "$FILES" | make before 2>&1) || fail volume 'write files' "$said"
	: >"$R/empty" || fail volume 'write files' 'empty'
	said=$(sparse before) || fail volume 'write sparse' "$said"
	# Bits that the kubelet leaves alone when it gives a volume to a group: it only adds to them.
	chmod 664 "$R/odd" 2>/dev/null
	chmod 770 "$R/program" 2>/dev/null
	# Some file systems have no links: then the restored one need not have it.
	ln -s 'deep/a/b/c/d/e/leaf' "$R/link" 2>/dev/null
	sync_data
}

# sparse PHASE: a first and a last block, and a hole between them.
sparse() {
	printf '%s\n' "$SPARSE" | while read -r id block; do
		printf '%s\n' "$id 4096 $((block * 64))" | make "$1" |
			dd of="$R/sparse" bs=4096 seek="$block" conv=notrunc iflag=fullblock 2>&1 || exit 1
	done
}

overwrite_data() {
	# In place, so that a snapshot that shares blocks with its source shows.
	said=$(printf '%s\n' "$LARGE" | make after. | dd of="$R/large" bs=65536 conv=notrunc iflag=fullblock 2>&1) ||
		fail volume 'overwrite' "$said"
	said=$(printf '%s\n' "$OTHERS" | make after. 2>&1) || fail volume 'overwrite' "$said"
	sparse after. >/dev/null
	rm -rf "$R/one" "$R/many" "$R/link" || fail volume 'delete files' 'rm failed'
	printf 'late---- 100 0 late\n' | make after. || fail volume 'overwrite' 'late'
	sync_data
}

# area A VOLUME: where an area of the journal lies: in a file of its own.
area() {
	file=$2/snapready-journal/$1
	first=0
}

make_journal() {
	said=$(mkdir -p "$1/snapready-journal" 2>&1) || fail volume 'make folders' "$said"
}

# entry ID PATH: size, mode and digest of what is there.
entry() {
	if [ -f "$2" ] && [ ! -L "$2" ]; then
		seen=$(stat -c '%s %a' "$2" 2>/dev/null) || seen='? ?'
		digest=$(sha256sum <"$2" 2>/dev/null) || digest=unreadable
		printf 'f %s %s %s\n' "$1" "$seen" "${digest%% *}"
	else
		printf 'f %s - - -\n' "$1"
	fi
}

# begins PATH: whose data it is, as its first line says.
begins() { head -c 23 "$1" 2>/dev/null | tr -c 'a-z0-9.' '?'; }

measure() {
	for name in empty one odd program large; do entry "$name" "$R/$name"; done
	entry leaf "$R/deep/a/b/c/d/e/leaf"
	entry spaced "$R/a name with spaces"
	for name in sparse late; do entry "$name" "$R/$name"; done
	digest=$(cat "$R"/many/* 2>/dev/null | sha256sum)
	printf 'm %s %s\n' "$(ls -A "$R/many" 2>/dev/null | wc -l | tr -d ' ')" "${digest%% *}"
	printf 'l %s\n' "$(readlink "$R/link" 2>/dev/null | tr -c 'a-z/\n' '?' | cut -c1-60)"
	printf 'n %s\n' "$(find "$R" ! -type l 2>/dev/null | wc -l | tr -d ' ')"
	printf 'h %s %s\n' "$(begins "$R/odd")" "$(begins "$R/large")"
	if [ -d "$R" ]; then
		printf 'v present\n'
	else
		printf 'v %s %s\n' "$(ls -A "$DATA" | wc -l | tr -d ' ')" "$([ -d "$DATA/lost+found" ] && printf formatted)"
	fi
	printf 'a %s\n' "$(around)"
}

# room: the bytes that the file system has, used or not.
room() {
	command -v df >/dev/null || fail image 'look for tools' 'df: not found'
	df -P -k "$DATA" 2>/dev/null | awk 'NR == 2 { printf "%.0f\n", $2 * 1024 }'
}

# around: what else lies in the volume. Hidden names are left out: some storage shows its own there.
around() {
	for path in "$DATA"/*; do
		case ${path##*/} in
		snapready | snapready-journal | 'lost+found' | '*') ;;
		*) printf '%s/' "${path##*/}" ;;
		esac
	done | tr -c 'A-Za-z0-9._@#-' '/' | cut -c1-200
}
