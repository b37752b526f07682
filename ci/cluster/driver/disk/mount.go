package disk

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Mount is a line of mountinfo.
type Mount struct {
	Point string
	// Root is what of the filesystem is mounted: "/" or, for the bind mount of
	// a device node, its path within devtmpfs.
	Root     string
	FSType   string
	Source   string
	ReadOnly bool
}

// Mounts lists the mounts of this mount namespace.
func Mounts() ([]Mount, error) {
	text, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	return parseMountInfo(string(text))
}

// MountAt is the topmost mount at path, or nil.
func MountAt(path string) (*Mount, error) {
	mounts, err := Mounts()
	if err != nil {
		return nil, err
	}
	path = resolve(path)
	for _, m := range slices.Backward(mounts) {
		if m.Point == path {
			return &m, nil
		}
	}
	return nil, nil
}

// resolve follows symbolic links in the parent, as the kernel did for mountinfo.
func resolve(path string) string {
	parent, err := filepath.EvalSymlinks(filepath.Dir(path))
	if err != nil {
		return filepath.Clean(path)
	}
	return filepath.Join(parent, filepath.Base(path))
}

func parseMountInfo(text string) ([]Mount, error) {
	var mounts []Mount
	for line := range strings.Lines(text) {
		before, after, ok := strings.Cut(strings.TrimSuffix(line, "\n"), " - ")
		left, right := strings.Fields(before), strings.Fields(after)
		if !ok || len(left) < 6 || len(right) < 2 {
			return nil, fmt.Errorf("mountinfo has a line of unknown form: %q", line)
		}
		mounts = append(mounts, Mount{
			Point:    unescape(left[4]),
			Root:     unescape(left[3]),
			FSType:   right[0],
			Source:   unescape(right[1]),
			ReadOnly: slices.Contains(strings.Split(left[5], ","), "ro"),
		})
	}
	return mounts, nil
}

// unescape undoes the kernel's \040 for a space and the like.
func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			if c, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(c))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

var mountFlags = map[string]uintptr{
	"ro": unix.MS_RDONLY, "rw": 0, "defaults": 0,
	"noatime": unix.MS_NOATIME, "relatime": unix.MS_RELATIME, "nodiratime": unix.MS_NODIRATIME, "strictatime": unix.MS_STRICTATIME,
	"nosuid": unix.MS_NOSUID, "nodev": unix.MS_NODEV, "noexec": unix.MS_NOEXEC,
	"sync": unix.MS_SYNCHRONOUS, "dirsync": unix.MS_DIRSYNC,
}

// MountExt4 mounts a device with options as in fstab.
func MountExt4(device, point string, options []string) error {
	var flags uintptr
	var data []string
	for _, option := range options {
		if flag, known := mountFlags[option]; known {
			flags |= flag
		} else {
			data = append(data, option)
		}
	}
	if err := unix.Mount(device, point, "ext4", flags, strings.Join(data, ",")); err != nil {
		return fmt.Errorf("mount the ext4 of %s at %s with options %q: %w", device, point, options, err)
	}
	return nil
}

// Bind shows source at point too.
func Bind(source, point string, readOnly bool) error {
	if err := unix.Mount(source, point, "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("bind mount %s at %s: %w", source, point, err)
	}
	if !readOnly {
		return nil
	}
	// The kernel ignores MS_RDONLY when a bind mount is made.
	if err := unix.Mount("", point, "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		return errors.Join(fmt.Errorf("make the bind mount at %s read-only: %w", point, err), Unmount(point))
	}
	return nil
}

// Unmount takes away every mount at point. None is fine.
func Unmount(point string) error {
	for {
		m, err := MountAt(point)
		if err != nil || m == nil {
			return err
		}
		if err := unix.Unmount(point, unix.UMOUNT_NOFOLLOW); err != nil {
			return fmt.Errorf("unmount %s: %w", point, err)
		}
	}
}
