package fault

import (
	"testing"
	"time"

	"snapready/ci/cluster/driver/store"
)

func at(minute int) time.Time { return time.Date(2026, 1, 1, 0, minute, 0, 0, time.UTC) }

func TestOtherVolumes(t *testing.T) {
	all := []*store.Volume{
		{ID: "source", Mode: store.Filesystem, Origin: "source", Created: at(1)},
		{ID: "stranger", Mode: store.Filesystem, Origin: "stranger", Created: at(2)},
		{ID: "younger", Mode: store.Filesystem, Origin: "younger", Created: at(4)},
		{ID: "earlier-restore", Mode: store.Filesystem, Origin: "source", Created: at(5)},
		{ID: "decoy", Mode: store.Filesystem, Created: at(7)},
		{ID: "device", Mode: store.Block, Origin: "device", Created: at(6)},
	}
	var got string
	for _, v := range OtherVolumes(all, &store.Snapshot{Volume: "source", Origin: "source", Mode: store.Filesystem}) {
		got += v.ID + " "
	}
	if want := "younger stranger "; got != want {
		t.Errorf("other volumes: %s, want %s", got, want)
	}
}

func TestOlderSnapshots(t *testing.T) {
	this := &store.Snapshot{ID: "this", Volume: "v", Mode: store.Block, Created: at(10)}
	all := []*store.Snapshot{
		this,
		{ID: "first", Volume: "v", Mode: store.Block, Created: at(1)},
		{ID: "second", Volume: "v", Mode: store.Block, Created: at(2)},
		{ID: "later", Volume: "v", Mode: store.Block, Created: at(11)},
		{ID: "foreign", Volume: "w", Mode: store.Block, Created: at(9)},
		{ID: "files", Volume: "v", Mode: store.Filesystem, Created: at(9)},
	}
	var got string
	for _, s := range OlderSnapshots(all, this) {
		got += s.ID + " "
	}
	if want := "second first foreign "; got != want {
		t.Errorf("older snapshots: %s, want %s", got, want)
	}
}
