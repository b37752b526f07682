package host

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// file identifies a file whatever its path: the path that the kernel shows for a loop device is that of the mount
// namespace which attached it, and is cut short when that namespace is gone.
type file struct{ device, inode uint64 }

// Loop is an attached loop device.
type Loop struct {
	Device  string
	Backing string

	number  uint64 // device number of the loop device itself
	behind  file
	stacked uint64 // device number of the block device behind it, if it is one
}

// LoopsBelow lists the loop devices whose file lies below a folder, and those stacked on them: the kubelet puts
// one on every raw block volume.
func LoopsBelow(folder string) ([]Loop, error) {
	files, err := filesBelow(folder)
	if err != nil || len(files) == 0 {
		return nil, err
	}
	attached, err := filepath.Glob("/sys/block/loop*/loop/backing_file")
	if err != nil {
		return nil, err
	}
	var all []Loop
	for _, each := range attached {
		loop, err := readLoop("/dev/" + filepath.Base(filepath.Dir(filepath.Dir(each))))
		// ENXIO: it was detached in the meantime.
		if errors.Is(err, unix.ENXIO) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if backing, err := os.ReadFile(each); err == nil {
			loop.Backing = strings.TrimSpace(string(backing))
		}
		all = append(all, loop)
	}
	return below(all, files), nil
}

func filesBelow(folder string) (map[file]bool, error) {
	files := map[file]bool{}
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		var status unix.Stat_t
		if err := unix.Stat(path, &status); err == nil {
			files[file{status.Dev, status.Ino}] = true
		}
		return nil
	})
	return files, err
}

func readLoop(path string) (Loop, error) {
	device, err := os.Open(path)
	if err != nil {
		return Loop{}, err
	}
	defer device.Close()
	var status unix.Stat_t
	if err := unix.Fstat(int(device.Fd()), &status); err != nil {
		return Loop{}, err
	}
	info, err := unix.IoctlLoopGetStatus64(int(device.Fd()))
	if err != nil {
		return Loop{}, fmt.Errorf("status of %s: %w", path, err)
	}
	return Loop{Device: path, number: status.Rdev, behind: file{info.Device, info.Inode}, stacked: info.Rdevice}, nil
}

func below(all []Loop, files map[file]bool) []Loop {
	var found []Loop
	wanted := map[uint64]bool{}
	for grown := true; grown; {
		grown = false
		for _, loop := range all {
			if !wanted[loop.number] && (files[loop.behind] || loop.stacked != 0 && wanted[loop.stacked]) {
				wanted[loop.number] = true
				// What lies on top is detached first.
				found = append([]Loop{loop}, found...)
				grown = true
			}
		}
	}
	return found
}

// DetachLoopsBelow detaches the loop devices of LoopsBelow.
func DetachLoopsBelow(folder string) error {
	loops, err := LoopsBelow(folder)
	if err != nil {
		return err
	}
	for _, loop := range loops {
		device, err := os.OpenFile(loop.Device, os.O_RDWR, 0)
		if err != nil {
			return err
		}
		err = unix.IoctlSetInt(int(device.Fd()), unix.LOOP_CLR_FD, 0)
		device.Close()
		// ENXIO: it detached by itself when its last user went.
		if err != nil && !errors.Is(err, unix.ENXIO) {
			return fmt.Errorf("detach %s (%s): %w", loop.Device, loop.Backing, err)
		}
	}
	return nil
}
