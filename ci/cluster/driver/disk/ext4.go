package disk

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ErrForeign says that an image holds something which is no ext4.
var ErrForeign = errors.New("holds data that is no ext4 filesystem, and is not formatted over it")

// superblock reads the start of ext4's superblock.
func superblock(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	block := make([]byte, 1024)
	_, err = f.ReadAt(block, 1024)
	return block, err
}

// HasExt4 tells whether a file or device begins with an ext4 superblock.
func HasExt4(path string) (bool, error) {
	block, err := superblock(path)
	return err == nil && binary.LittleEndian.Uint16(block[0x38:]) == unix.EXT4_SUPER_MAGIC, err
}

// Prepare makes an image that nothing has attached fit to be mounted: it
// formats one that was never written, and makes the filesystem fill an image
// that is larger. The kernel cannot replay a journal that it must not write, so
// for a reader this is done here.
func Prepare(ctx context.Context, image string, reader bool) error {
	if err := formatIfBlank(ctx, image); err != nil {
		return err
	}
	have, want, _, err := blocks(image)
	if err != nil {
		return err
	}
	if want > have {
		if err := check(ctx, image, "-f"); err != nil { // resize2fs insists on it
			return err
		}
		return run(ctx, "resize2fs", image)
	}
	if reader {
		return check(ctx, image)
	}
	return nil
}

func formatIfBlank(ctx context.Context, image string) error {
	if has, err := HasExt4(image); err != nil || has {
		return err
	}
	blank, err := IsBlank(image)
	if err != nil {
		return err
	}
	if !blank {
		return fmt.Errorf("%s %w", image, ErrForeign)
	}
	return Format(ctx, image)
}

// Format makes an ext4 in a file that nothing has attached.
func Format(ctx context.Context, image string) error {
	// -m0: a volume has no root user to reserve blocks for.
	return run(ctx, "mkfs.ext4", "-q", "-F", "-m0", "-E", "lazy_itable_init=1,lazy_journal_init=1,nodiscard", image)
}

// check replays the journal and mends what a crash leaves behind.
func check(ctx context.Context, image string, options ...string) error {
	err := run(ctx, "e2fsck", append(options, "-p", image)...)
	// Status 1 says that it has mended something.
	if exit := new(exec.ExitError); errors.As(err, &exit) && exit.ExitCode() == 1 {
		return nil
	}
	return err
}

func run(ctx context.Context, program string, args ...string) error {
	out, err := exec.CommandContext(ctx, program, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %s: %w: %s", program, strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}

// ErrOnlineGrowth says that the kernel does not grow a mounted filesystem for us.
var ErrOnlineGrowth = errors.New("growing a mounted ext4 needs CAP_SYS_RESOURCE, which this machine withholds: end the pods that use the volume, it grows when it is staged next")

// GrowExt4 makes the mounted filesystem fill its device.
func GrowExt4(device, point string) error {
	have, want, size, err := blocks(device)
	if err != nil || want <= have {
		return err
	}
	f, err := os.Open(point)
	if err != nil {
		return err
	}
	defer f.Close()
	// _IOW('f', 16, __u64), which resize2fs uses too.
	const resizeFS = 0x40086610
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, f.Fd(), resizeFS, uintptr(unsafe.Pointer(&want)))
	switch errno {
	case 0:
		return nil
	case unix.EPERM:
		return ErrOnlineGrowth
	}
	return fmt.Errorf("grow the ext4 at %s to %d blocks of %d bytes: %w", point, want, size, errno)
}

// blocks tells how many blocks the ext4 has, how many there is room for, and
// their size.
func blocks(path string) (have, want uint64, size int64, err error) {
	block, err := superblock(path)
	if err != nil {
		return 0, 0, 0, err
	}
	size = int64(1024) << binary.LittleEndian.Uint32(block[0x18:])
	bytes, err := Size(path)
	return uint64(binary.LittleEndian.Uint32(block[0x4:])), uint64(bytes / size), size, err
}

// InsideExt4 runs change on the files of an image that nothing has attached.
// The mount has no mount point: nobody else sees it, and it ends with the
// process at the latest.
func InsideExt4(ctx context.Context, image string, change func(*os.Root) error) (err error) {
	device, err := Attach(image, false, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, AwaitDetached(ctx, image)) }()
	defer device.Close()
	mount, err := detachedMount(device.Name())
	if err != nil {
		return err
	}
	defer mount.Close()
	root, err := os.OpenRoot(fmt.Sprintf("/proc/self/fd/%d", mount.Fd()))
	if err != nil {
		return err
	}
	defer root.Close()
	if err := change(root); err != nil {
		return err
	}
	top, err := root.Open(".") // the mount itself is open as a path only
	if err != nil {
		return err
	}
	defer top.Close()
	return unix.Syncfs(int(top.Fd()))
}

func detachedMount(device string) (*os.File, error) {
	fs, err := unix.Fsopen("ext4", unix.FSOPEN_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("open ext4 for %s: %w", device, err)
	}
	defer unix.Close(fs)
	if err := unix.FsconfigSetString(fs, "source", device); err != nil {
		return nil, fmt.Errorf("name %s to ext4: %w", device, err)
	}
	if err := unix.FsconfigCreate(fs); err != nil {
		return nil, fmt.Errorf("mount the ext4 of %s, does it hold one? %w", device, err)
	}
	mount, err := unix.Fsmount(fs, unix.FSMOUNT_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("mount the ext4 of %s: %w", device, err)
	}
	return os.NewFile(uintptr(mount), device), nil
}
