package disk

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// ErrRestless says that an image was written all the while it was copied.
var ErrRestless = errors.New("written without a pause while it was copied")

// patience is how long Cut waits for a moment without writes.
const patience = 20 * time.Second

// Cut copies each source to its target, all as of one moment. It neither
// freezes nor flushes: what a node has not written to its device is lost, as
// on any storage. The copy of a whole image takes a while, so it is made again
// until nothing was written meanwhile.
func Cut(ctx context.Context, sources, targets []string) error {
	end := time.Now().Add(patience)
	for {
		before, err := written(sources)
		if err != nil {
			return err
		}
		shared := false
		for i, source := range sources {
			if shared, err = copyImage(source, targets[i]); err != nil {
				return err
			}
		}
		if shared && len(sources) == 1 {
			return nil // the filesystem did it in one step
		}
		after, err := written(sources)
		if err != nil {
			return err
		}
		if before == after {
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("%q: %w", sources, ErrRestless)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}

// written is equal for two moments between which no source was written: by
// the times of the files, which some kernels count in steps of milliseconds,
// and by the numbers of writes that their loop devices have done.
func written(images []string) (string, error) {
	var seen strings.Builder
	for _, image := range images {
		var stat unix.Stat_t
		if err := unix.Stat(image, &stat); err != nil {
			return "", &os.PathError{Op: "stat", Path: image, Err: err}
		}
		fmt.Fprintln(&seen, stat.Mtim, stat.Size)
		devices, err := Devices(image)
		if err != nil {
			return "", err
		}
		for _, device := range devices {
			counters, err := os.ReadFile("/sys/block/" + filepath.Base(device) + "/stat")
			if err != nil {
				return "", err
			}
			// Documentation/block/stat.rst: the 5th is "write I/Os", the 12th "discard I/Os".
			if fields := strings.Fields(string(counters)); len(fields) > 11 {
				fmt.Fprintln(&seen, device, fields[4], fields[11])
			}
		}
	}
	return seen.String(), nil
}

// Copy makes target a copy of source.
func Copy(source, target string) error {
	_, err := copyImage(source, target)
	return err
}

// copyImage lets target share the blocks of source where the filesystem can,
// and copies what is not a hole where it cannot.
func copyImage(source, target string) (shared bool, err error) {
	in, err := os.Open(source)
	if err != nil {
		return false, err
	}
	defer in.Close()
	out, err := os.OpenFile(target, os.O_CREATE|os.O_TRUNC|os.O_RDWR, 0o640)
	if err != nil {
		return false, err
	}
	defer out.Close()
	if unix.IoctlFileClone(int(out.Fd()), int(in.Fd())) == nil {
		return true, out.Close()
	}
	size, err := in.Seek(0, io.SeekEnd)
	if err != nil {
		return false, err
	}
	if err := out.Truncate(size); err != nil {
		return false, err
	}
	err = extents(in, size, func(start, end int64) error {
		if _, err := in.Seek(start, io.SeekStart); err != nil {
			return err
		}
		if _, err := out.Seek(start, io.SeekStart); err != nil {
			return err
		}
		// copy_file_range on Linux.
		_, err := io.CopyN(out, in, end-start)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("copy %s to %s: %w", source, target, err)
	}
	return false, out.Close()
}

// extents calls each with the parts of f that are not holes.
func extents(f *os.File, size int64, each func(start, end int64) error) error {
	for end := int64(0); end < size; {
		start, err := unix.Seek(int(f.Fd()), end, unix.SEEK_DATA)
		if errors.Is(err, unix.ENXIO) {
			return nil // the rest is one hole
		}
		if err != nil {
			return err
		}
		end, err = unix.Seek(int(f.Fd()), start, unix.SEEK_HOLE)
		if err != nil {
			return err
		}
		if err := each(start, min(end, size)); err != nil {
			return err
		}
	}
	return nil
}

// IsBlank tells whether every byte of the image is zero.
func IsBlank(image string) (bool, error) {
	f, err := os.Open(image)
	if err != nil {
		return false, err
	}
	defer f.Close()
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return false, err
	}
	err = extents(f, size, func(start, end int64) error { return expectZeros(f, start, end) })
	if errors.Is(err, errNotZero) {
		return false, nil
	}
	return err == nil, err
}

var errNotZero = errors.New("not zero")

func expectZeros(f io.ReaderAt, start, end int64) error {
	zeros, buffer := make([]byte, 64<<10), make([]byte, 64<<10)
	for start < end {
		part := buffer[:min(end-start, int64(len(buffer)))]
		if _, err := f.ReadAt(part, start); err != nil {
			return err
		}
		if !bytes.Equal(part, zeros[:len(part)]) {
			return errNotZero
		}
		start += int64(len(part))
	}
	return nil
}

// Same tells whether two images are equal but for zeros at the end of the
// longer one.
func Same(a, b string) (bool, error) {
	short, err := os.Open(a)
	if err != nil {
		return false, err
	}
	defer short.Close()
	long, err := os.Open(b)
	if err != nil {
		return false, err
	}
	defer long.Close()
	shortSize, err := Size(a)
	if err != nil {
		return false, err
	}
	longSize, err := Size(b)
	if err != nil {
		return false, err
	}
	if shortSize > longSize {
		short, long, shortSize, longSize = long, short, longSize, shortSize
	}
	one, other := make([]byte, 256<<10), make([]byte, 256<<10)
	for at := int64(0); at < shortSize; {
		n := min(shortSize-at, int64(len(one)))
		if _, err := short.ReadAt(one[:n], at); err != nil {
			return false, err
		}
		if _, err := long.ReadAt(other[:n], at); err != nil {
			return false, err
		}
		if !bytes.Equal(one[:n], other[:n]) {
			return false, nil
		}
		at += n
	}
	err = expectZeros(long, shortSize, longSize)
	if errors.Is(err, errNotZero) {
		return false, nil
	}
	return err == nil, err
}

// Grow sets the size of an image, never to less.
func Grow(image string, size int64) error {
	have, err := Size(image)
	if err != nil || have >= size {
		return err
	}
	return os.Truncate(image, size)
}
