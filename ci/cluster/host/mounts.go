package host

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"sort"
	"strings"

	"golang.org/x/sys/unix"
)

// ShareMount bind-mounts a folder on itself and makes it shared, so that what a CSI driver mounts below it inside
// its container shows outside: with a private / the kubelet's Bidirectional propagation is refused.
func ShareMount(folder string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	mounted, err := MountsBelow(folder)
	if err != nil {
		return err
	}
	for _, each := range mounted {
		if each == folder {
			return nil
		}
	}
	if err := unix.Mount(folder, folder, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		return fmt.Errorf("bind mount %s: %w", folder, err)
	}
	if err := unix.Mount("", folder, "", unix.MS_SHARED|unix.MS_REC, ""); err != nil {
		return fmt.Errorf("share mount %s: %w", folder, err)
	}
	return nil
}

// MountsBelow lists the mount points at or below a folder, the deepest first.
func MountsBelow(folder string) ([]string, error) {
	file, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var points []string
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 5 {
			continue
		}
		point := unescape(fields[4])
		if point == folder || strings.HasPrefix(point, folder+"/") {
			points = append(points, point)
		}
	}
	sort.SliceStable(points, func(i, j int) bool { return len(points[i]) > len(points[j]) })
	return points, lines.Err()
}

// unescape undoes the octal escapes of mountinfo (space, tab, newline, backslash).
func unescape(field string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(field)
}

// UnmountBelow unmounts everything at or below a folder, lazily where something still uses it.
func UnmountBelow(folder string) error {
	// A point can be mounted over several times, and an unmount can uncover another.
	for range 20 {
		points, err := MountsBelow(folder)
		if err != nil || len(points) == 0 {
			return err
		}
		for _, point := range points {
			err := unix.Unmount(point, unix.UMOUNT_NOFOLLOW)
			if err != nil {
				err = unix.Unmount(point, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW)
			}
			// EINVAL: gone already, together with the mount that it propagated from.
			if err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOENT) {
				return fmt.Errorf("unmount %s: %w", point, err)
			}
		}
	}
	return fmt.Errorf("mounts below %s do not end: see /proc/self/mountinfo", folder)
}
