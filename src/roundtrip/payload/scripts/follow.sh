# The postStart hook of what follows a reader. It waits until the reader has ended, and a moment for its container to be
# seen to have; for five seconds at most.
n=0
until [ -e "$HANDOVER/ended" ] || [ $n -ge 100 ]; do
	sleep 0.05
	n=$((n + 1))
done
[ $n -eq 0 ] || sleep 0.05
