// Package disk does what a driver does with its images: loop devices, mounts,
// copies and ext4.
package disk

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Attach makes a loop device of the image and returns it open. With autoclear
// the kernel detaches it at its last close or unmount; without, Detach does.
func Attach(image string, readOnly, autoclear bool) (*os.File, error) {
	mode, flags := os.O_RDWR, uint32(0)
	if readOnly {
		mode, flags = os.O_RDONLY, unix.LO_FLAGS_READ_ONLY
	}
	if autoclear {
		flags |= unix.LO_FLAGS_AUTOCLEAR
	}
	backing, err := os.OpenFile(image, mode, 0)
	if err != nil {
		return nil, err
	}
	defer backing.Close()
	control, err := os.OpenFile("/dev/loop-control", os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("no loop devices here, is the host's /dev mounted and the container privileged? %w", err)
	}
	defer control.Close()

	config := unix.LoopConfig{Fd: uint32(backing.Fd()), Info: unix.LoopInfo64{Flags: flags}}
	copy(config.Info.File_name[:len(config.Info.File_name)-1], image)
	// Another process may take the free device before we do: ask again.
	for range 100 {
		number, err := unix.IoctlRetInt(int(control.Fd()), unix.LOOP_CTL_GET_FREE)
		if err != nil {
			return nil, fmt.Errorf("get a free loop device for %s: %w", image, err)
		}
		device, err := os.OpenFile("/dev/loop"+strconv.Itoa(number), mode, 0)
		if err != nil {
			return nil, fmt.Errorf("open the loop device for %s: %w", image, err)
		}
		err = unix.IoctlLoopConfigure(int(device.Fd()), &config)
		if err == nil {
			return device, asUdevDoes(device)
		}
		device.Close()
		if !errors.Is(err, unix.EBUSY) {
			return nil, fmt.Errorf("attach %s to %s: %w", image, device.Name(), err)
		}
	}
	return nil, fmt.Errorf("attach %s: others took every free loop device, try again", image)
}

// diskGroup is the group "disk" on every common Linux distribution.
const diskGroup = 6

// asUdevDoes gives the device to the group "disk": nodes have a udev that does so, and a pod that is not root opens raw
// block volumes by that group. A machine without udev keeps devices for root.
func asUdevDoes(device *os.File) error {
	if err := device.Chown(0, diskGroup); err != nil {
		return err
	}
	return device.Chmod(0o660)
}

// KeepForRoot makes the device what it is on a machine without udev: of a container runtime that does not give devices to
// a pod's user, only root gets it open.
func KeepForRoot(device string) error {
	if err := os.Chown(device, 0, 0); err != nil {
		return err
	}
	return os.Chmod(device, 0o600)
}

// Devices names the loop devices of the image, also when the driver that
// attached them is gone, or the image has been deleted since.
func Devices(image string) ([]string, error) {
	files, err := filepath.Glob("/sys/block/loop*/loop/backing_file")
	if err != nil {
		return nil, err
	}
	var want unix.Stat_t
	exists := unix.Stat(image, &want) == nil
	var devices []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // detached since
		}
		path := strings.TrimSuffix(string(text), "\n")
		device := "/dev/" + strings.Split(file, "/")[3]
		switch {
		case !exists:
			if path != image+" (deleted)" {
				continue
			}
		// The directory may have another path in the mount namespace of the
		// process that attached the device, so the inode decides.
		case filepath.Base(path) != filepath.Base(image) || !backs(&want, device):
			continue
		}
		devices = append(devices, device)
	}
	return devices, nil
}

func backs(image *unix.Stat_t, device string) bool {
	f, err := os.Open(device)
	if err != nil {
		return false
	}
	defer f.Close()
	info, err := unix.IoctlLoopGetStatus64(int(f.Fd()))
	return err == nil && info.Inode == image.Ino && info.Device == image.Dev
}

// Detach releases a device. One that is still open is released at its last
// close, which the kernel sees to.
func Detach(device string) error {
	f, err := os.Open(device)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	err = unix.IoctlSetInt(int(f.Fd()), unix.LOOP_CLR_FD, 0)
	if err != nil && !errors.Is(err, unix.ENXIO) {
		return fmt.Errorf("detach %s: %w", device, err)
	}
	return nil
}

// AwaitDetached waits for the kernel, or for a curious udev, to let go of the
// image's devices: until then there may be data on the way to it.
func AwaitDetached(ctx context.Context, image string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for {
		devices, err := Devices(image)
		if err != nil || len(devices) == 0 {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s is still attached to %s: something keeps the device open", image, strings.Join(devices, ", "))
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// Refresh tells the device that its image has grown.
func Refresh(device string) error {
	f, err := os.Open(device)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := unix.IoctlSetInt(int(f.Fd()), unix.LOOP_SET_CAPACITY, 0); err != nil {
		return fmt.Errorf("grow %s: %w", device, err)
	}
	return nil
}

// IsReadOnly tells whether the device refuses writers.
func IsReadOnly(device string) (bool, error) {
	text, err := os.ReadFile("/sys/block/" + filepath.Base(device) + "/ro")
	return strings.TrimSpace(string(text)) == "1", err
}

// Size is the number of bytes of a file or a block device.
func Size(path string) (int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	return f.Seek(0, 2)
}
