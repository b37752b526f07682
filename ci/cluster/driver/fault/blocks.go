package fault

import (
	"bytes"
	"errors"
	"io"
)

// ErrNothingToDamage says that there is no data whose loss a user would see.
var ErrNothingToDamage = errors.New("there is no data to damage: write something that is not all zeros before the snapshot is cut")

// Device is an image, or a plain file in a test.
type Device interface {
	io.ReaderAt
	io.WriterAt
}

const blockSize = 4096

// CutBlocks keeps the first half of what was written and zeros the rest. It
// halves the stretch from the first to the last byte that is not zero, so that
// last byte is always lost.
func CutBlocks(device Device, size int64) error {
	first, last, err := written(device, size)
	if err != nil {
		return err
	}
	return zero(device, first+(last-first+1)/2, last+1)
}

// FlipBlocks flips a bit in the last written block, between its first and its
// last byte that is not zero.
func FlipBlocks(device Device, size int64) error {
	first, last, err := lastBlock(device, size)
	if err != nil {
		return err
	}
	return flip(device, (first+last)/2)
}

// ZeroBlocks zeros the last block that is not all zeros.
func ZeroBlocks(device Device, size int64) error {
	first, last, err := lastBlock(device, size)
	if err != nil {
		return err
	}
	return zero(device, first, last+1)
}

// lastBlock is the stretch of data within the last block that holds any.
func lastBlock(device Device, size int64) (first, last int64, err error) {
	_, last, err = written(device, size)
	if err != nil {
		return 0, 0, err
	}
	start := last / blockSize * blockSize
	length := last + 1 - start
	first, _, err = written(io.NewSectionReader(device, start, length), length)
	return start + first, last, err
}

// written gives the positions of the first and the last byte that is not zero.
func written(device io.ReaderAt, size int64) (first, last int64, err error) {
	first, last = -1, -1
	buffer := make([]byte, 1<<20)
	for at := int64(0); at < size; at += int64(len(buffer)) {
		part := buffer[:min(size-at, int64(len(buffer)))]
		if _, err := device.ReadAt(part, at); err != nil && err != io.EOF {
			return 0, 0, err
		}
		if end := len(bytes.TrimRight(part, "\x00")); end > 0 {
			last = at + int64(end) - 1
			if first < 0 {
				first = at + int64(len(part)-len(bytes.TrimLeft(part, "\x00")))
			}
		}
	}
	if last < 0 {
		return 0, 0, ErrNothingToDamage
	}
	return first, last, nil
}

func flip(device Device, at int64) error {
	one := make([]byte, 1)
	if _, err := device.ReadAt(one, at); err != nil && err != io.EOF {
		return err
	}
	one[0] ^= 0x10
	_, err := device.WriteAt(one, at)
	return err
}

func zero(device io.WriterAt, start, end int64) error {
	zeros := make([]byte, 1<<20)
	for start < end {
		n, err := device.WriteAt(zeros[:min(end-start, int64(len(zeros)))], start)
		if err != nil {
			return err
		}
		start += int64(n)
	}
	return nil
}
