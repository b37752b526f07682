package store

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestIDs(t *testing.T) {
	if got := VolumeID("pvc-1"); got != "vol-pvc-1" {
		t.Errorf("id of a plain name = %q", got)
	}
	for _, name := range []string{"../../etc/passwd", "a/b", strings.Repeat("x", 500), "Grüße", "///"} {
		id := VolumeID(name)
		if !isID(id) {
			t.Errorf("VolumeID(%q) = %q, which is no id", name, id)
		}
		if id == VolumeID(name+"!") {
			t.Errorf("%q and %q! have one id", name, name)
		}
	}
	for _, bad := range []string{"", "..", "a/b", "../x", ".hidden", "a\x00b"} {
		if isID(bad) {
			t.Errorf("%q passes for an id", bad)
		}
		if _, err := (Store{t.TempDir()}).Volume(bad); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Volume(%q): %v", bad, err)
		}
	}
}

func TestLockExcludes(t *testing.T) {
	s := Store{t.TempDir()}
	unlock, err := s.Lock("a")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Lock("a"); !errors.Is(err, ErrBusy) {
		t.Errorf("second lock: %v", err)
	}
	if _, err := s.LockShared("a"); !errors.Is(err, ErrBusy) {
		t.Errorf("shared lock beside an exclusive one: %v", err)
	}
	if other, err := s.Lock("b"); err != nil {
		t.Errorf("lock of another id: %v", err)
	} else {
		other()
	}
	unlock()
	again, err := s.Lock("a")
	if err != nil {
		t.Fatalf("lock after unlock: %v", err)
	}
	again()
	if left, _ := os.ReadDir(s.Dir + "/locks"); len(left) > 0 {
		t.Errorf("lock files left: %v", left)
	}
}

func TestSharedLocks(t *testing.T) {
	s := Store{t.TempDir()}
	one, err := s.LockShared("a")
	if err != nil {
		t.Fatal(err)
	}
	two, err := s.LockShared("a")
	if err != nil {
		t.Fatal(err)
	}
	one()
	if _, err := s.Lock("a"); !errors.Is(err, ErrBusy) {
		t.Errorf("exclusive lock while one shares it: %v", err)
	}
	two()
	if last, err := s.Lock("a"); err != nil {
		t.Errorf("exclusive lock after all are gone: %v", err)
	} else {
		last()
	}
}

// The file of a lock comes and goes, and must never be two files.
func TestLockUnderContention(t *testing.T) {
	s := Store{t.TempDir()}
	var inside atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 2000 {
				unlock, err := s.Lock("a")
				if errors.Is(err, ErrBusy) {
					continue
				}
				if err != nil {
					t.Error(err)
					return
				}
				if inside.Add(1) != 1 {
					t.Error("two hold the lock")
				}
				inside.Add(-1)
				unlock()
			}
		})
	}
	all.Wait()
}

func TestLockSurvivesWipe(t *testing.T) {
	s := Store{t.TempDir()}
	unlock, err := s.Lock("a")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(s.Dir); err != nil {
		t.Fatal(err)
	}
	unlock()
	again, err := s.Lock("a")
	if err != nil {
		t.Fatal(err)
	}
	again()
}

func TestHalfMadeImageIsNone(t *testing.T) {
	s := Store{t.TempDir()}
	broken := errors.New("power cut")
	err := s.NewVolumeImage("v", func(path string) error {
		os.WriteFile(path, []byte("half"), 0o600)
		return broken
	})
	if !errors.Is(err, broken) {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(s.Dir + "/volumes"); len(left) > 0 {
		t.Errorf("half-made image: %v", left)
	}
	// Killed between image and record:
	if err := s.NewVolumeImage("v", func(path string) error { return os.WriteFile(path, []byte("whole"), 0o600) }); err != nil {
		t.Fatal(err)
	}
	if all, err := s.Volumes(); err != nil || len(all) != 0 {
		t.Errorf("volumes = %v, %v", all, err)
	}
	if err := s.SaveVolume(&Volume{ID: "v", Capacity: 5}); err != nil {
		t.Fatal(err)
	}
	v, err := s.Volume("v")
	if err != nil || v.Capacity != 5 {
		t.Errorf("volume = %v, %v", v, err)
	}
	if err := s.RemoveVolume("v"); err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(s.Dir + "/volumes"); len(left) > 0 {
		t.Errorf("left after removal: %v", left)
	}
	if err := s.RemoveVolume("v"); err != nil {
		t.Errorf("second removal: %v", err)
	}
}

func TestMembersComeWithTheirGroup(t *testing.T) {
	s := Store{t.TempDir()}
	member := &Snapshot{ID: "m", Group: "g"}
	if err := s.SaveSnapshot(member); err != nil {
		t.Fatal(err)
	}
	if all, err := s.Snapshots(); err != nil || len(all) != 0 {
		t.Errorf("members before their group: %v, %v", all, err)
	}
	group := &Group{ID: "g", Snapshots: []string{"m"}}
	if err := s.SaveGroup(group); err != nil {
		t.Fatal(err)
	}
	if all, err := s.Snapshots(); err != nil || len(all) != 1 {
		t.Errorf("members of a group: %v, %v", all, err)
	}
	if err := s.RemoveGroup(group); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(s.path(snapshots, "m", ".json")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("record of a member left: %v", err)
	}
}

func TestListIsInOrderOfIDs(t *testing.T) {
	s := Store{t.TempDir()}
	// As file names, "a-b.json" sorts before "a.json".
	for _, id := range []string{"b", "a-b", "a"} {
		if err := s.SaveVolume(&Volume{ID: id}); err != nil {
			t.Fatal(err)
		}
	}
	all, err := s.Volumes()
	if err != nil {
		t.Fatal(err)
	}
	if got := all[0].ID + " " + all[1].ID + " " + all[2].ID; got != "a a-b b" {
		t.Errorf("order: %s", got)
	}
}

func TestFirstAskedIsRemembered(t *testing.T) {
	s := Store{t.TempDir()}
	first, err := s.FirstAsked("v")
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(20 * time.Millisecond)
	if again, err := s.FirstAsked("v"); err != nil || !again.Equal(first) {
		t.Errorf("asked again: %v, %v; first %v", again, err, first)
	}
	s.Done("v")
	if later, err := s.FirstAsked("v"); err != nil || !later.After(first) {
		t.Errorf("asked after done: %v, %v; first %v", later, err, first)
	}
}
