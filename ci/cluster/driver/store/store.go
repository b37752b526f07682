package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Store is the data directory. All drivers of one storage share it.
type Store struct{ Dir string }

const (
	volumes   = "volumes"
	snapshots = "snapshots"
	groups    = "groups"
)

func (s Store) VolumeImage(id string) string   { return s.path(volumes, id, ".img") }
func (s Store) SnapshotImage(id string) string { return s.path(snapshots, id, ".img") }

// Volume answers fs.ErrNotExist for an unknown id, as Snapshot and Group do.
func (s Store) Volume(id string) (*Volume, error) { return load[Volume](s, volumes, id) }
func (s Store) Group(id string) (*Group, error)   { return load[Group](s, groups, id) }

// Snapshot knows a member of a group from when the group is saved until it is
// removed, so that all members come and go at once.
func (s Store) Snapshot(id string) (*Snapshot, error) {
	snapshot, err := load[Snapshot](s, snapshots, id)
	if err == nil && snapshot.Group != "" {
		if _, err := s.Group(snapshot.Group); err != nil {
			return nil, err
		}
	}
	return snapshot, err
}

// Volumes lists all volumes in the order of their ids, as Snapshots does.
func (s Store) Volumes() ([]*Volume, error)     { return list(s, volumes, s.Volume) }
func (s Store) Snapshots() ([]*Snapshot, error) { return list(s, snapshots, s.Snapshot) }

// SaveVolume makes the volume exist: its image must be whole by now.
func (s Store) SaveVolume(v *Volume) error     { return s.save(volumes, v.ID, v) }
func (s Store) SaveSnapshot(n *Snapshot) error { return s.save(snapshots, n.ID, n) }
func (s Store) SaveGroup(g *Group) error       { return s.save(groups, g.ID, g) }

func (s Store) RemoveVolume(id string) error   { return s.remove(volumes, id) }
func (s Store) RemoveSnapshot(id string) error { return s.remove(snapshots, id) }

// RemoveGroup removes the members too.
func (s Store) RemoveGroup(g *Group) error {
	err := s.remove(groups, g.ID)
	for _, member := range g.Snapshots {
		err = errors.Join(err, s.RemoveSnapshot(member))
	}
	return err
}

// NewVolumeImage calls fill with the path of a file to make, and gives that
// file the volume's image name when fill is done.
func (s Store) NewVolumeImage(id string, fill func(path string) error) error {
	return s.newImage(s.VolumeImage(id), fill)
}

// NewSnapshotImages does the same for snapshots that are cut together.
func (s Store) NewSnapshotImages(ids []string, fill func(paths []string) error) error {
	if err := s.makeDir(snapshots); err != nil {
		return err
	}
	paths := make([]string, len(ids))
	for i, id := range ids {
		paths[i] = s.SnapshotImage(id) + partSuffix
		defer os.Remove(paths[i])
	}
	if err := fill(paths); err != nil {
		return err
	}
	for i, id := range ids {
		if err := os.Rename(paths[i], s.SnapshotImage(id)); err != nil {
			return err
		}
	}
	return nil
}

// partSuffix marks an image that is being written.
const partSuffix = ".part"

func (s Store) newImage(image string, fill func(path string) error) error {
	if err := os.MkdirAll(filepath.Dir(image), 0o750); err != nil {
		return err
	}
	part := image + partSuffix
	defer os.Remove(part)
	if err := fill(part); err != nil {
		return err
	}
	return os.Rename(part, image)
}

// FirstAsked is when the operation on id was first asked for, by any driver
// process. It is remembered until Done.
func (s Store) FirstAsked(id string) (time.Time, error) {
	if err := s.makeDir(asked); err != nil {
		return time.Time{}, err
	}
	f, err := os.OpenFile(s.path(asked, id, ""), os.O_CREATE|os.O_RDONLY, 0o640)
	if err != nil {
		return time.Time{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return time.Time{}, err
	}
	return info.ModTime(), nil
}

func (s Store) Done(id string) { os.Remove(s.path(asked, id, "")) }

const asked = "asked"

func (s Store) path(kind, id, suffix string) string {
	return filepath.Join(s.Dir, kind, id+suffix)
}

func (s Store) makeDir(kind string) error {
	return os.MkdirAll(filepath.Join(s.Dir, kind), 0o750)
}

func load[T any](s Store, kind, id string) (*T, error) {
	if !isID(id) {
		return nil, fmt.Errorf("%q is not an id of this driver: %w", id, fs.ErrNotExist)
	}
	file := s.path(kind, id, ".json")
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	record := new(T)
	if err := json.Unmarshal(text, record); err != nil {
		return nil, fmt.Errorf("%s is damaged: %w", file, err)
	}
	return record, nil
}

func list[T any](s Store, kind string, load func(id string) (*T, error)) ([]*T, error) {
	entries, err := os.ReadDir(filepath.Join(s.Dir, kind))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, entry := range entries {
		if id, isRecord := strings.CutSuffix(entry.Name(), ".json"); isRecord {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids) // the directory is sorted with the suffix, and '-' sorts before '.'
	var all []*T
	for _, id := range ids {
		record, err := load(id)
		if errors.Is(err, fs.ErrNotExist) {
			continue // deleted since the directory was read, or half-made
		}
		if err != nil {
			return nil, err
		}
		all = append(all, record)
	}
	return all, nil
}

// save replaces the record in one step, so a reader sees the old or the new one.
func (s Store) save(kind, id string, record any) error {
	if err := s.makeDir(kind); err != nil {
		return err
	}
	text, err := json.MarshalIndent(record, "", "  ")
	if err != nil {
		return err
	}
	file := s.path(kind, id, ".json")
	part := file + partSuffix
	if err := os.WriteFile(part, append(text, '\n'), 0o640); err != nil {
		return err
	}
	return os.Rename(part, file)
}

// remove takes the record first: data without a record does not exist.
func (s Store) remove(kind, id string) error {
	var errs []error
	for _, suffix := range []string{".json", ".img"} {
		err := os.Remove(s.path(kind, id, suffix))
		if !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// YoungestVolumes sorts by the time of creation, the last made first.
func YoungestVolumes(all []*Volume) []*Volume {
	return slices.SortedStableFunc(slices.Values(all), func(a, b *Volume) int { return b.Created.Compare(a.Created) })
}

// YoungestSnapshots does the same.
func YoungestSnapshots(all []*Snapshot) []*Snapshot {
	return slices.SortedStableFunc(slices.Values(all), func(a, b *Snapshot) int { return b.Created.Compare(a.Created) })
}
