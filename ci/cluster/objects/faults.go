package objects

import (
	"strings"
	"unicode"
)

// Fault is one way in which the driver goes wrong. Name is also the name of its StorageClass and its VolumeSnapshotClass.
type Fault struct {
	Name string
	// Operation is the key, and Value the value, of the class parameter that the driver reads.
	Operation, Value string
}

// The operations of the driver that can go wrong, as they are called in the class parameters.
const (
	restore   = "restore"
	provision = "provision"
	snapshot  = "snapshot"
	remove    = "delete"
)

// slow is longer than a person's patience, and shorter than the sidecars' timeouts (csi-provisioner 10 s, csi-snapshotter
// 60 s): the call succeeds.
const slow = "slow:5"

var faultTable = []struct {
	operation string
	values    []string
}{
	{restore, []string{
		"empty", "stale", "truncated", "bitflip", "other-volume", "zeros-at-end", "old-snapshot", "hang", slow,
		"error:InvalidArgument", "error:ResourceExhausted", "error:Unauthenticated", "error:PermissionDenied", "error:Internal", "error:NotFound", "error:Unavailable",
	}},
	{provision, []string{
		"hang", slow,
		// OutOfRange is the answer of drivers with a smallest or largest volume size.
		"error:InvalidArgument", "error:OutOfRange", "error:ResourceExhausted", "error:PermissionDenied", "error:Internal", "error:Unavailable",
	}},
	{snapshot, []string{
		"hang", slow, "never-ready", "size-zero",
		// FailedPrecondition is the answer of drivers with a limit of snapshots per volume.
		"error:InvalidArgument", "error:FailedPrecondition", "error:ResourceExhausted", "error:Unauthenticated", "error:PermissionDenied", "error:Internal", "error:NotFound", "error:Unavailable",
	}},
	{remove, []string{"hang", "leak", "error:FailedPrecondition", "error:PermissionDenied", "error:Internal", "error:Unavailable"}},
}

// Faults gives all faults, in the order of the operations in a round trip.
func Faults() []Fault {
	var list []Fault
	for _, row := range faultTable {
		for _, value := range row.values {
			list = append(list, Fault{Name: row.operation + "-" + faultName(value), Operation: row.operation, Value: value})
		}
	}
	return list
}

// faultName turns a parameter's value into the end of an object name: empty, slow:5 into slow, error:NotFound into
// error-not-found.
func faultName(value string) string {
	what, detail, _ := strings.Cut(value, ":")
	if what != "error" {
		return what
	}
	var name strings.Builder
	for _, letter := range detail {
		if unicode.IsUpper(letter) {
			name.WriteByte('-')
		}
		name.WriteRune(unicode.ToLower(letter))
	}
	return what + name.String()
}

func (f Fault) storageParameters() map[string]any {
	if f.Operation == restore || f.Operation == provision {
		return map[string]any{f.Operation: f.Value}
	}
	return nil
}

func (f Fault) snapshotParameters() map[string]any {
	if f.Operation == snapshot || f.Operation == remove {
		return map[string]any{f.Operation: f.Value}
	}
	return nil
}

// bindingMode is Immediate where CreateVolume itself hangs, is slow or fails: with WaitForFirstConsumer the scheduler
// picks a node anew after each failure, with a back-off of its own, and what a test sees would depend on it. Faults that
// give a volume with wrong contents, and faults of snapshots, use the mode of the default class.
func (f Fault) bindingMode() string {
	what, _, _ := strings.Cut(f.Value, ":")
	callFails := what == "hang" || what == "slow" || what == "error"
	if callFails && (f.Operation == restore || f.Operation == provision) {
		return immediate
	}
	return waitForFirstConsumer
}
