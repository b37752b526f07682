package store

import (
	"crypto/sha256"
	"fmt"
	"regexp"
	"strings"
)

// An id is a file name, so it must not contain a slash nor begin with a dot.
var idPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,149}$`)

var notInID = regexp.MustCompile(`[^A-Za-z0-9._-]+`)

func isID(id string) bool { return idPattern.MatchString(id) }

// VolumeID is the same for every request of one name, which is what makes
// CreateVolume idempotent. It differs from the name, as real handles do.
func VolumeID(name string) string   { return idOf("vol-", name) }
func SnapshotID(name string) string { return idOf("snap-", name) }
func GroupID(name string) string    { return idOf("group-", name) }

// MemberID is the id of the snapshot of one volume in a group snapshot.
func MemberID(group, volume string) string { return idOf("snap-", group+"-"+volume) }

func idOf(prefix, name string) string {
	id := prefix + name
	if isID(id) {
		return id
	}
	readable := notInID.ReplaceAllString(name, "-")
	readable = strings.Trim(readable[:min(len(readable), 100)], "-.")
	return fmt.Sprintf("%s%s-%x", prefix, readable, sha256.Sum256([]byte(name)))[:min(len(prefix)+len(readable)+17, 150)]
}
