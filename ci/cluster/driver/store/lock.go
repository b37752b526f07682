package store

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// ErrBusy says that another operation on the same id is in flight, in this
// process or in that of another node.
var ErrBusy = errors.New("an operation is in flight")

// Lock takes id for one operation alone.
func (s Store) Lock(id string) (unlock func(), err error) { return s.flock(id, unix.LOCK_EX) }

// LockShared keeps others from changing or deleting what id means.
func (s Store) LockShared(id string) (unlock func(), err error) { return s.flock(id, unix.LOCK_SH) }

// A file lock belongs to the open file, so it also excludes operations of the
// same process, and it ends with the process.
func (s Store) flock(id string, how int) (func(), error) {
	if !isID(id) {
		return func() {}, nil // no such object can exist, so there is nothing to protect
	}
	if err := s.makeDir("locks"); err != nil {
		return nil, err
	}
	path := s.path("locks", id, "")
	for {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o640)
		if err != nil {
			return nil, err
		}
		if err := unix.Flock(int(f.Fd()), how|unix.LOCK_NB); err != nil {
			f.Close()
			if errors.Is(err, unix.EWOULDBLOCK) {
				return nil, fmt.Errorf("%s: %w", id, ErrBusy)
			}
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		if !isAt(f, path) {
			f.Close() // its last holder removed the file before we locked it
			continue
		}
		return func() {
			// Whoever still shares the lock keeps the file.
			if unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil && isAt(f, path) {
				os.Remove(path)
			}
			f.Close()
		}, nil
	}
}

func isAt(f *os.File, path string) bool {
	opened, err := f.Stat()
	if err != nil {
		return false
	}
	named, err := os.Stat(path)
	return err == nil && os.SameFile(opened, named)
}
